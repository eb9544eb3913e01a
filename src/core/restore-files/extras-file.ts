import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileExtras, FileNode } from '../../filesystems/file-system.ts';
import { fileTimeText } from '../../lib/file-time.ts';
import { type Copied, copyContent } from './copy-content.ts';

/** Streams up to this size stand in the line itself. */
const INLINE_BYTES = 64 * 1024;
/** Security descriptors that are remembered, so that files that share one refer to it. */
const MOST_SHARED = 4096;
const FLUSH_BYTES = 256 * 1024;

/** What is kept of one file beside it. */
export interface ExtrasEntry {
  /** Relative to the target, with `/`. */
  readonly path: string;
  /** `HOST/VM@ID:/disk0/p2`. */
  readonly volume: string;
  /** Its names there, from the root of the volume down. */
  readonly names: readonly string[];
  readonly node: FileNode;
  readonly extras: FileExtras;
  /** Streams that the target cannot hold. */
  readonly streams: readonly { readonly name: string; readonly content: Copied }[];
}

/**
 * Writes the file of extras: one JSON object a line, described in docs/guide/recover-files.md. It is written in the temporary folder of the
 * job and moved beside what was recovered at the end; with nothing in it there is none.
 */
export class ExtrasFile {
  readonly #folder: string;
  readonly #job: string;
  readonly #descriptors = new Map<string, number>();
  #nextDescriptor = 1;
  #nextStream = 1;
  #file: FileHandle | undefined;
  #buffer: string[] = [];
  #buffered = 0;
  #queue: Promise<unknown> = Promise.resolve();

  /** `folder`: an existing folder of the job alone. */
  constructor(folder: string, job: string) {
    this.#folder = folder;
    this.#job = job;
  }

  /** One after the other: lines of two files never mix. */
  add(entry: ExtrasEntry): Promise<void> {
    const added = this.#queue.then(() => this.#add(entry));
    this.#queue = added.catch(() => {});
    return added;
  }

  /** Names of what was written in the folder, complete; none where there was nothing to write. */
  async finish(): Promise<string[]> {
    await this.#queue;
    const file = this.#file;
    if (!file) return [];
    await this.#flush(file);
    await file.sync();
    await file.close();
    this.#file = undefined;
    return this.#nextStream > 1 ? [extrasName(this.#job), extrasFolderName(this.#job)] : [extrasName(this.#job)];
  }

  async close(): Promise<void> {
    await this.#queue;
    await this.#file?.close();
    this.#file = undefined;
  }

  async #add({ path, volume, names, node, extras, streams }: ExtrasEntry): Promise<void> {
    this.#file ??= await this.#begin();
    const file = this.#file;
    const security = extras.securityDescriptor && (await this.#descriptor(file, extras.securityDescriptor));
    const kept = [];
    for (const { name, content } of streams) kept.push({ name, size: content.sizeBytes, ...(await this.#stream(content)) });
    await this.#line(file, {
      path,
      volume,
      names,
      type: node.type,
      size: node.size,
      modified: fileTimeText(node.modified),
      created: fileTimeText(node.created),
      accessed: fileTimeText(node.accessed),
      changed: fileTimeText(node.changed),
      mode: node.mode,
      uid: node.uid,
      gid: node.gid,
      attributes: node.attributes?.length ? node.attributes : undefined,
      target: node.target,
      junction: node.junction,
      special: node.special,
      security,
      reparsePoint: base64(extras.reparsePoint),
      extendedAttributes: extras.extendedAttributes?.map(({ name, value }) => ({ name, base64: base64(value) })),
      streams: kept.length > 0 ? kept : undefined,
    });
  }

  async #begin(): Promise<FileHandle> {
    const file = await open(join(this.#folder, extrasName(this.#job)), 'wx', 0o600);
    await this.#line(file, { format: 'mabs-extras', version: 1, job: this.#job });
    return file;
  }

  /** The number of a descriptor; its bytes stand in a line of their own before it is first used. */
  async #descriptor(file: FileHandle, bytes: Uint8Array): Promise<number> {
    const digest = createHash('sha256').update(bytes).digest('base64');
    const known = this.#descriptors.get(digest);
    if (known !== undefined) return known;
    if (this.#descriptors.size >= MOST_SHARED) this.#descriptors.clear();
    const number = this.#nextDescriptor++;
    this.#descriptors.set(digest, number);
    await this.#line(file, { security: number, base64: base64(bytes) });
    return number;
  }

  async #stream(content: Copied): Promise<{ base64?: string; file?: string }> {
    if (content.sizeBytes <= INLINE_BYTES) {
      const bytes = Buffer.alloc(content.sizeBytes);
      await content.read(0, bytes);
      return { base64: bytes.toString('base64') };
    }
    const folder = extrasFolderName(this.#job);
    await mkdir(join(this.#folder, folder), { recursive: true, mode: 0o700 });
    const name = `${this.#nextStream++}.bin`;
    await using file = await open(join(this.#folder, folder, name), 'wx', 0o600);
    await copyContent(content, file);
    return { file: `${folder}/${name}` };
  }

  async #line(file: FileHandle, value: object): Promise<void> {
    const line = `${JSON.stringify(value)}\n`;
    this.#buffer.push(line);
    this.#buffered += line.length;
    if (this.#buffered >= FLUSH_BYTES) await this.#flush(file);
  }

  async #flush(file: FileHandle): Promise<void> {
    const text = this.#buffer.join('');
    this.#buffer = [];
    this.#buffered = 0;
    await file.appendFile(text);
  }
}

/** The file's name in the target: one for each job, so that none is written over. */
export function extrasName(job: string): string {
  return `mabs-extras-${job.slice(0, 8)}.jsonl`;
}

/** Where streams too long for a line are kept. */
function extrasFolderName(job: string): string {
  return `mabs-extras-${job.slice(0, 8)}`;
}

function base64(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString('base64');
}
