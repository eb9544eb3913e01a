import { randomBytes } from 'node:crypto';
import { open, readdir, stat, statfs, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { flushFolder, makeFolderDurably, retrySharing } from '../../lib/durable-files.ts';
import { systemErrorCode } from '../../lib/errors.ts';
import {
  BlobMissingError,
  type BlobReader,
  BlobSizeError,
  type BlobStore,
  type BlobWriter,
  checkBlobName,
  checkBlobPrefix,
  DEFAULT_GET_LIMIT,
  TEMPORARY_SUFFIX,
} from '../blob-store.ts';
import { LocalReader } from './local-reader.ts';
import { LocalWriter } from './local-writer.ts';
import { storeError } from './store-error.ts';

/** A store in a folder of this machine's file systems: an object is a file, its name the path from the folder. */
export function openLocalStore(path: string): BlobStore {
  return new LocalStore(path);
}

class LocalStore implements BlobStore {
  readonly descriptor;
  readonly #root: string;
  /** Folders known to be there. */
  readonly #folders = new Set<string>();

  constructor(path: string) {
    this.descriptor = { type: 'local' as const, path };
    this.#root = path;
  }

  async create(name: string): Promise<BlobWriter> {
    const path = this.#pathOf(name);
    try {
      await this.#makeFolder(dirname(path));
      const temporary = `${path}.${randomBytes(6).toString('hex')}${TEMPORARY_SUFFIX}`;
      return new LocalWriter(name, { root: this.#root, path, temporary, handle: await open(temporary, 'wx') });
    } catch (error) {
      this.#folders.clear();
      throw storeError(`creating ${name}`, this.#root, error);
    }
  }

  async open(name: string): Promise<BlobReader> {
    const path = this.#pathOf(name);
    try {
      const handle = await open(path, 'r');
      try {
        return new LocalReader(name, handle, (await handle.stat()).size);
      } catch (error) {
        await handle.close();
        throw error;
      }
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') throw new BlobMissingError(name, { cause: error });
      throw storeError(`opening ${name}`, this.#root, error);
    }
  }

  async get(name: string, maxBytes = DEFAULT_GET_LIMIT): Promise<Uint8Array> {
    await using reader = await this.open(name);
    if (reader.sizeBytes > maxBytes) throw new BlobSizeError(name, `${reader.sizeBytes} bytes are more than the ${maxBytes} expected`);
    const bytes = new Uint8Array(reader.sizeBytes);
    await reader.read(0, bytes);
    return bytes;
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    const writer = await this.create(name);
    try {
      await writer.append(bytes);
      await writer.seal();
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }

  async *list(prefix: string): AsyncGenerator<{ name: string; sizeBytes: number }> {
    for await (const { name, path } of this.#files(prefix)) {
      if (name.endsWith(TEMPORARY_SUFFIX)) continue;
      const sizeBytes = await this.#sizeOf(name, path);
      if (sizeBytes !== undefined) yield { name, sizeBytes };
    }
  }

  async remove(name: string): Promise<void> {
    const path = this.#pathOf(name);
    try {
      await retrySharing(() => unlink(path));
      await flushFolder(dirname(path));
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw storeError(`removing ${name}`, this.#root, error);
    }
  }

  async removeTemporary(prefix: string, keep: (name: string) => boolean): Promise<number> {
    let removed = 0;
    for await (const { name, path } of this.#files(prefix)) {
      const final = /^(.+)\.[0-9a-f]{12}\.tmp$/.exec(name)?.[1];
      if (!final || keep(final)) continue;
      try {
        await retrySharing(() => unlink(path));
        removed += 1;
      } catch (error) {
        if (systemErrorCode(error) !== 'ENOENT') throw storeError(`removing ${name}`, this.#root, error);
      }
    }
    return removed;
  }

  async space(): Promise<{ capacityBytes: number; freeBytes: number }> {
    try {
      const { blocks, bavail, bsize } = await statfs(this.#root);
      return { capacityBytes: blocks * bsize, freeBytes: bavail * bsize };
    } catch (error) {
      throw storeError('asking for the free space', this.#root, error);
    }
  }

  /** Every file under a prefix, temporary ones too. A folder that vanishes meanwhile, or was never made, is empty. */
  async *#files(prefix: string): AsyncGenerator<{ name: string; path: string }> {
    checkBlobPrefix(prefix);
    const folder = join(this.#root, ...prefix.split('/').filter(Boolean));
    let entries: import('node:fs').Dirent[];
    try {
      entries = await readdir(folder, { withFileTypes: true });
    } catch (error) {
      // The pool's own folder must be there: a volume that is not connected is not an empty one.
      if (systemErrorCode(error) === 'ENOENT' && prefix !== '') return;
      throw storeError(`listing ${prefix || 'the pool'}`, this.#root, error);
    }
    for (const entry of entries) {
      if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(entry.name)) continue;
      if (entry.isDirectory()) yield* this.#files(`${prefix}${entry.name}/`);
      else if (entry.isFile()) yield { name: `${prefix}${entry.name}`, path: join(folder, entry.name) };
    }
  }

  async #sizeOf(name: string, path: string): Promise<number | undefined> {
    try {
      return (await stat(path)).size;
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw storeError(`looking at ${name}`, this.#root, error);
    }
  }

  async #makeFolder(path: string): Promise<void> {
    if (this.#folders.has(path)) return;
    // Never the pool's own folder: a volume that is not connected must not be begun anew in its mount point.
    await stat(this.#root);
    await makeFolderDurably(path);
    this.#folders.add(path);
  }

  #pathOf(name: string): string {
    checkBlobName(name);
    return join(this.#root, ...name.split('/'));
  }
}
