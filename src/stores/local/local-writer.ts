import { type FileHandle, unlink } from 'node:fs/promises';
import { renameExclusively, retrySharing } from '../../lib/durable-files.ts';
import { systemErrorCode } from '../../lib/errors.ts';
import { BlobExistsError, type BlobWriter } from '../blob-store.ts';
import { storeError } from './store-error.ts';

/** Writes one file under a temporary name beside its final one. After any failure it can only be aborted. */
export class LocalWriter implements BlobWriter {
  readonly name: string;
  sizeBytes = 0;
  readonly #root: string;
  readonly #path: string;
  readonly #temporary: string;
  #handle: FileHandle | undefined;
  #failed = false;
  #sealed = false;

  /** `root` is the store's folder, for errors. */
  constructor(name: string, { root, path, temporary, handle }: { root: string; path: string; temporary: string; handle: FileHandle }) {
    this.name = name;
    this.#root = root;
    this.#path = path;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  async append(bytes: Uint8Array): Promise<void> {
    const handle = this.#usable();
    await this.#orFail(`writing ${this.name}`, async () => {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, this.sizeBytes);
        done += bytesWritten;
        this.sizeBytes += bytesWritten;
      }
    });
  }

  async seal(): Promise<void> {
    const handle = this.#usable();
    await this.#orFail(`making ${this.name} durable`, async () => {
      // A flush that failed is never tried again: the kernel may have dropped the pages and call the next one a success.
      await handle.datasync();
      this.#handle = undefined;
      await handle.close();
      await renameExclusively(this.#temporary, this.#path);
    });
    this.#sealed = true;
  }

  async abort(): Promise<void> {
    if (this.#sealed) return;
    this.#failed = true;
    const handle = this.#handle;
    this.#handle = undefined;
    try {
      await handle?.close();
      await retrySharing(() => unlink(this.#temporary));
    } catch (error) {
      // What stays is removed by `removeTemporary`; the failure that led here is the one to tell.
      if (!systemErrorCode(error)) throw error;
    }
  }

  #usable(): FileHandle {
    if (this.#failed || !this.#handle) throw new Error(`${this.name} is no longer being written`);
    return this.#handle;
  }

  async #orFail(what: string, change: () => Promise<void>): Promise<void> {
    try {
      await change();
    } catch (error) {
      this.#failed = true;
      if (systemErrorCode(error) === 'EEXIST') throw new BlobExistsError(this.name, { cause: error });
      throw storeError(what, this.#root, error);
    }
  }
}
