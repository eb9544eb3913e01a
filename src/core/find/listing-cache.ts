import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress, createZstdDecompress } from 'node:zlib';
import { z } from 'zod';
import { makeFolders } from '../../lib/make-folders.ts';
import type { Random } from '../../lib/random.ts';
import type { VolumeFile } from './volume-listing.ts';

/** What listings may take in the home, all together. */
const MOST_BYTES = 1024 ** 3;
const ENDING = '.list.zst';
/** Ends a listing. The number is that of what readers make of volumes: raised when one tells names, sizes, times or ids otherwise. */
const LAST_LINE = 'end 1';
/** Left by a process that died: no walk takes so long. */
const STALE_MS = 7 * 24 * 60 * 60 * 1000;
const WRITTEN_AT_ONCE = 64 * 1024;

/** A line: path, type, size, modified (`''`: none), id. */
const lineSchema = z.tuple([z.string(), z.enum(['file', 'dir', 'link', 'other']), z.number(), z.string(), z.string()]);

/** Takes a listing while it is made. */
export interface ListingWriter {
  add(file: VolumeFile): Promise<void>;
  /** Only a listing that is whole is kept. */
  close(isWhole: boolean): Promise<void>;
}

/**
 * Listings of volumes that were walked before, by the identity of their content, as files of the home. A cache: what is lost, damaged
 * or cannot be written is walked again. Holds at most 1 GiB; what was not used longest goes first. Readable by its owner only.
 */
export class ListingCache {
  readonly #folder: string;
  readonly #random: Random;
  readonly #mostBytes: number;

  constructor(homePath: string, random: Random, mostBytes = MOST_BYTES) {
    this.#folder = join(homePath, 'listings');
    this.#random = random;
    this.#mostBytes = mostBytes;
  }

  /** Hands on every file of a listing. False where there is none that is whole: what was handed on until then does not count. */
  async read(identity: string, onFile: (file: VolumeFile) => void): Promise<boolean> {
    const path = this.#pathOf(identity);
    const packed = createReadStream(path);
    const text = createZstdDecompress();
    let whole = false;
    try {
      // Errors of the file do not reach the stream that it is piped into.
      packed.once('error', (error) => text.destroy(error));
      for await (const line of createInterface({ input: packed.pipe(text), crlfDelay: Number.POSITIVE_INFINITY })) {
        whole = line === LAST_LINE;
        if (!whole) onFile(fileOf(line));
      }
      if (whole) await utimes(path, new Date(), new Date());
    } catch {
      return false;
    } finally {
      packed.destroy();
      text.destroy();
    }
    return whole;
  }

  async write(identity: string): Promise<ListingWriter> {
    const path = this.#pathOf(identity);
    const temporary = `${path}.${this.#random.uuid()}.tmp`;
    await makeFolders(this.#folder, 0o700).catch(() => {});
    const text = createZstdCompress();
    let failed = false;
    const written = pipeline(text, createWriteStream(temporary, { flags: 'wx', mode: 0o600 })).catch(() => {
      failed = true;
    });
    let lines = '';
    const flush = async () => {
      const full = !failed && !text.write(lines);
      lines = '';
      if (full) await Promise.race([once(text, 'drain').catch(() => {}), written]);
    };
    return {
      async add(file) {
        lines += lineOf(file);
        if (lines.length >= WRITTEN_AT_ONCE) await flush();
      },
      async close(isWhole) {
        lines += `${LAST_LINE}\n`;
        await flush();
        if (!failed) text.end();
        await written;
        if (isWhole && !failed) await rename(temporary, path).catch(() => {});
        await rm(temporary, { force: true }).catch(() => {});
      },
    };
  }

  /** Removes what was not used longest until the rest fits, and what a process that died left. */
  async shrink(now: number): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    const files = await Promise.all(names.map((name) => this.#look(name)));
    let kept = 0;
    for (const file of files.filter((found) => found !== undefined).sort((a, b) => b.usedMs - a.usedMs)) {
      const isListing = file.path.endsWith(ENDING);
      if (isListing) kept += file.sizeBytes;
      if (isListing ? kept > this.#mostBytes : now - file.usedMs > STALE_MS) await rm(file.path, { force: true }).catch(() => {});
    }
  }

  async #look(name: string) {
    const path = join(this.#folder, name);
    const found = await stat(path).catch(() => undefined);
    return found?.isFile() ? { path, sizeBytes: found.size, usedMs: found.mtimeMs } : undefined;
  }

  #pathOf(identity: string): string {
    return join(this.#folder, `${identity}${ENDING}`);
  }
}

function lineOf({ path, type, size, modified = '', id }: VolumeFile): string {
  return `${JSON.stringify([path, type, size, modified, id])}\n`;
}

function fileOf(line: string): VolumeFile {
  const [path, type, size, modified, id] = lineSchema.parse(JSON.parse(line));
  return { path, type, size, ...(modified !== '' && { modified }), id };
}
