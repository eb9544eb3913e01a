import type { FileHandle } from 'node:fs/promises';
import { type BlobReader, BlobSizeError } from '../blob-store.ts';
import { storeError } from './store-error.ts';

/** Reads one file at positions. */
export class LocalReader implements BlobReader {
  readonly name: string;
  readonly sizeBytes: number;
  #handle: FileHandle | undefined;

  constructor(name: string, handle: FileHandle, sizeBytes: number) {
    this.name = name;
    this.#handle = handle;
    this.sizeBytes = sizeBytes;
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    if (!this.#handle) throw new Error(`${this.name} was closed`);
    if (!(Number.isSafeInteger(offset) && offset >= 0 && into.length <= this.sizeBytes - offset)) {
      throw new BlobSizeError(this.name, `cannot read ${into.length} bytes at ${offset}, it ends at ${this.sizeBytes}`);
    }
    for (let done = 0; done < into.length; ) {
      const bytesRead = await this.#readSome(this.#handle, into, done, offset + done);
      if (bytesRead === 0) throw new BlobSizeError(this.name, `it ends at ${offset + done}, before the bytes that were asked for`);
      done += bytesRead;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  async #readSome(handle: FileHandle, into: Uint8Array, done: number, position: number): Promise<number> {
    try {
      return (await handle.read(into, done, into.length - done, position)).bytesRead;
    } catch (error) {
      throw storeError(`reading ${this.name} at ${position}`, this.name, error);
    }
  }
}
