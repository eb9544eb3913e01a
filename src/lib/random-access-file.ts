import { type FileHandle, open, rm, stat } from 'node:fs/promises';
import { type ByteSource, ReadPastEndError } from './byte-source.ts';
import { MabsError, systemErrorCode } from './errors.ts';

/** There is no file of this name. */
export class FileMissingError extends MabsError {
  readonly code = 'MABS-FILE-MISSING';
  readonly hint = 'Check the name and the path.';
  constructor(path: string, options?: ErrorOptions) {
    super(`${path} does not exist`, options);
  }
}

/** Something is there, but not a file with bytes to read: a folder, a pipe, a device. */
export class NotAFileError extends MabsError {
  readonly code = 'MABS-NOT-A-FILE';
  readonly hint = 'Name a file, not a folder or a device.';
  constructor(path: string) {
    super(`${path} is not a file`);
  }
}

/** The operating system does not let us open the file. */
export class FileAccessError extends MabsError {
  readonly code = 'MABS-FILE-ACCESS';
  readonly hint = 'Check the permissions, and that no other program keeps the file open for itself.';
  constructor(path: string, options: ErrorOptions) {
    super(`${path} cannot be opened: access is denied`, options);
  }
}

/** A file that was to be made is there already. */
export class FileExistsError extends MabsError {
  readonly code = 'MABS-FILE-EXISTS';
  readonly hint = 'Choose another name, remove the file, or add --overwrite where the command has it.';
  constructor(path: string, options?: ErrorOptions) {
    super(`${path} exists already`, options);
  }
}

/** No space is left where a file is being written, or it grew past what the file system there can hold. */
export class TargetFullError extends MabsError {
  readonly code = 'MABS-TARGET-FULL';
  readonly hint = 'Make room there, or choose another place. Nothing half-written is left.';
  override readonly kind = 'space';
  /** `detail`: what is known of how much is missing. */
  constructor(path: string, { detail, ...options }: ErrorOptions & { readonly detail?: string } = {}) {
    super(detail === undefined ? `no space is left to write ${path}` : `${path}: ${detail}`, options);
  }
}

/** A file to read and write at any position. `sizeBytes` grows with writes. */
export interface RandomAccessFile extends ByteSource {
  readonly path: string;
  /** Writes all of `bytes`. Out of space: MABS-TARGET-FULL. */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Sets the size; what is new reads as zero and takes no space where the file system knows holes. */
  truncate(sizeBytes: number): Promise<void>;
  /** What was written so far is durable when this resolves. */
  sync(): Promise<void>;
}

/**
 * Opens a regular file: `r` to read, `r+` to read and write, `wx+` to make a new one. Fails with MABS-FILE-MISSING,
 * MABS-NOT-A-FILE, MABS-FILE-ACCESS or MABS-FILE-EXISTS. The handle is closed by `[Symbol.asyncDispose]`, which may be called twice.
 */
export async function openRandomAccess(path: string, flags: 'r' | 'r+' | 'wx+'): Promise<RandomAccessFile> {
  try {
    // Opening a named pipe would block, so what is there is looked at first.
    if (flags !== 'wx+' && !(await stat(path)).isFile()) throw new NotAFileError(path);
    const handle = await open(path, flags);
    try {
      const status = await handle.stat();
      if (!status.isFile()) throw new NotAFileError(path);
      return new HandleFile(path, handle, status.size);
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    throw translated(path, error);
  }
}

/** Runs `fill` on a new file; when it fails, the file is removed again. */
export async function createRandomAccess<T>(path: string, fill: (file: RandomAccessFile) => Promise<T>): Promise<T> {
  const file = await openRandomAccess(path, 'wx+');
  try {
    return await fill(file);
  } catch (error) {
    await file[Symbol.asyncDispose]();
    await rm(path, { force: true, maxRetries: 5 });
    throw error;
  }
}

class HandleFile implements RandomAccessFile {
  readonly path: string;
  sizeBytes: number;
  #handle: FileHandle | undefined;

  constructor(path: string, handle: FileHandle, sizeBytes: number) {
    this.path = path;
    this.#handle = handle;
    this.sizeBytes = sizeBytes;
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    const fits = Number.isSafeInteger(offset) && offset >= 0 && into.length <= this.sizeBytes - offset;
    if (!fits) throw new ReadPastEndError(this.path, offset, into.length, this.sizeBytes);
    let done = 0;
    while (done < into.length) {
      const { bytesRead } = await this.#open.read(into, done, into.length - done, offset + done);
      if (bytesRead === 0) throw new ReadPastEndError(this.path, offset, into.length, offset + done);
      done += bytesRead;
    }
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    let done = 0;
    try {
      while (done < bytes.length) {
        const { bytesWritten } = await this.#open.write(bytes, done, bytes.length - done, offset + done);
        done += bytesWritten;
      }
    } catch (error) {
      throw translated(this.path, error);
    }
    this.sizeBytes = Math.max(this.sizeBytes, offset + bytes.length);
  }

  async truncate(sizeBytes: number): Promise<void> {
    try {
      await this.#open.truncate(sizeBytes);
    } catch (error) {
      throw translated(this.path, error);
    }
    this.sizeBytes = sizeBytes;
  }

  async sync(): Promise<void> {
    try {
      await this.#open.sync();
    } catch (error) {
      throw translated(this.path, error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  get #open(): FileHandle {
    if (!this.#handle) throw new Error(`${this.path} was closed`);
    return this.#handle;
  }
}

function translated(path: string, error: unknown): unknown {
  switch (systemErrorCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new FileMissingError(path, { cause: error });
    case 'EISDIR':
      return new NotAFileError(path);
    case 'EACCES':
    case 'EPERM':
    case 'EBUSY':
    case 'EROFS':
      return new FileAccessError(path, { cause: error });
    case 'EEXIST':
      return new FileExistsError(path, { cause: error });
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return new TargetFullError(path, { cause: error });
    default:
      return error;
  }
}
