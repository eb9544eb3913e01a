import { type FileHandle, open } from 'node:fs/promises';
import { MabsError } from './errors.ts';

/** Bytes at positions: a file, a part of one, or memory. Only read. */
export interface ByteSource extends AsyncDisposable {
  readonly sizeBytes: number;
  /** Fills `into` from `offset`, wholly or not at all: a range past the end rejects with MABS-READ-PAST-END. */
  read(offset: number, into: Uint8Array): Promise<void>;
}

export class ReadPastEndError extends MabsError {
  readonly code = 'MABS-READ-PAST-END';
  readonly hint = 'The file is shorter than its own structure says: it was truncated or is damaged.';
  override readonly kind = 'damaged';
  constructor(what: string, offset: number, length: number, sizeBytes: number) {
    super(`${what}: cannot read ${length} bytes at ${offset}, it ends at ${sizeBytes}`);
  }
}

/** Opens a file for reading. The handle is closed by `[Symbol.asyncDispose]`, which may be called twice. */
export async function openFileSource(path: string): Promise<ByteSource & { readonly path: string }> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    return new FileSource(path, handle, size);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

class FileSource implements ByteSource {
  readonly path: string;
  readonly sizeBytes: number;
  #handle: FileHandle | undefined;

  constructor(path: string, handle: FileHandle, sizeBytes: number) {
    this.path = path;
    this.#handle = handle;
    this.sizeBytes = sizeBytes;
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    if (!this.#handle) throw new Error(`${this.path} was closed`);
    if (!inside(offset, into.length, this.sizeBytes)) throw new ReadPastEndError(this.path, offset, into.length, this.sizeBytes);
    let done = 0;
    while (done < into.length) {
      const { bytesRead } = await this.#handle.read(into, done, into.length - done, offset + done);
      if (bytesRead === 0) throw new ReadPastEndError(this.path, offset, into.length, offset + done);
      done += bytesRead;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }
}

/** A byte source over memory; `what` names it in errors. */
export function memorySource(bytes: Uint8Array, what = 'memory'): ByteSource {
  return {
    sizeBytes: bytes.length,
    async read(offset, into) {
      if (!inside(offset, into.length, bytes.length)) throw new ReadPastEndError(what, offset, into.length, bytes.length);
      into.set(bytes.subarray(offset, offset + into.length));
    },
    async [Symbol.asyncDispose]() {},
  };
}

function inside(offset: number, length: number, sizeBytes: number): boolean {
  return Number.isSafeInteger(offset) && offset >= 0 && length <= sizeBytes - offset;
}
