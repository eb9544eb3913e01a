import { MabsError } from '../lib/errors.ts';

/**
 * Where a pool keeps its objects. Names are `/`-separated, of `[A-Za-z0-9._-]` only, at most 200 characters, and mean the same on
 * every file system. An object is written once, appears whole or not at all, and is never changed.
 */
export interface BlobStore {
  /** Plain data from which another thread opens the same store. */
  readonly descriptor: StoreDescriptor;
  /** Begins a new object under a temporary name. */
  create(name: string): Promise<BlobWriter>;
  /** Opens an object for reading; MABS-BLOB-MISSING when there is none. */
  open(name: string): Promise<BlobReader>;
  /** The whole object, at most `maxBytes` long (64 MiB when absent). */
  get(name: string, maxBytes?: number): Promise<Uint8Array>;
  /** create, append, seal. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** Objects whose name begins with `prefix` (which ends with `/` or is empty), in no order; temporary ones are not listed. */
  list(prefix: string): AsyncIterable<{ readonly name: string; readonly sizeBytes: number }>;
  /** Removes an object; nothing happens when there is none. On Windows a sharing violation is retried. */
  remove(name: string): Promise<void>;
  /** Removes what unfinished writers left under `prefix`, other than what `keep` says. Only for the holder of the pool's lock. */
  removeTemporary(prefix: string, keep: (name: string) => boolean): Promise<number>;
  space(): Promise<{ readonly capacityBytes: number; readonly freeBytes: number }>;
}

export interface BlobWriter {
  readonly name: string;
  readonly sizeBytes: number;
  /** The bytes may be re-used by the caller when this resolves. Out of space: MABS-POOL-FULL. */
  append(bytes: Uint8Array): Promise<void>;
  /** Flush, exclusive rename (MABS-BLOB-EXISTS when the name is taken), flush of the folder. A failed flush is final. */
  seal(): Promise<void>;
  /** Drops what was written. May be called after a failure, and twice. */
  abort(): Promise<void>;
}

export interface BlobReader extends AsyncDisposable {
  readonly name: string;
  readonly sizeBytes: number;
  /** Fills `into` from `offset`, wholly or not at all. */
  read(offset: number, into: Uint8Array): Promise<void>;
}

export type StoreDescriptor = { readonly type: 'local'; readonly path: string } | { readonly type: 'memory'; readonly id: string };

/** What `get` reads when no limit is given. */
export const DEFAULT_GET_LIMIT = 64 * 1024 * 1024;

/** What a temporary object's file name ends with; no object's name may. */
export const TEMPORARY_SUFFIX = '.tmp';

const PART = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/** Throws for a name that would not mean the same on every file system. Names come from code, so a bad one is a bug. */
export function checkBlobName(name: string): void {
  const parts = name.split('/');
  const valid = name.length <= 200 && parts.every((part) => PART.test(part) && !part.endsWith('.')) && !name.endsWith(TEMPORARY_SUFFIX);
  if (!valid) throw new Error(`not a name for an object of a store: ${JSON.stringify(name.slice(0, 220))}`);
}

/** Throws unless `prefix` is empty or a folder of objects, ending with `/`. */
export function checkBlobPrefix(prefix: string): void {
  if (prefix === '') return;
  if (!prefix.endsWith('/')) throw new Error(`a prefix ends with /: ${JSON.stringify(prefix)}`);
  checkBlobName(prefix.slice(0, -1));
}

export class BlobMissingError extends MabsError {
  readonly code = 'MABS-BLOB-MISSING';
  readonly hint = 'Run `mabs pool check`: it names what is missing and which recovery points need it.';
  override readonly kind = 'damaged';
  readonly file: string;
  constructor(file: string, options?: ErrorOptions) {
    super(`the pool has no object ${file}`, options);
    this.file = file;
  }
}

export class BlobExistsError extends MabsError {
  readonly code = 'MABS-BLOB-EXISTS';
  readonly hint = 'Another process wrote it first: run the command again.';
  readonly file: string;
  constructor(file: string, options?: ErrorOptions) {
    super(`the pool has an object ${file} already`, options);
    this.file = file;
  }
}

/** An object is shorter, or longer, than what reads it expects. */
export class BlobSizeError extends MabsError {
  readonly code = 'MABS-BLOB-SIZE';
  readonly hint = 'The object was truncated or is not what its name says: run `mabs pool check`.';
  override readonly kind = 'damaged';
  readonly file: string;
  constructor(file: string, what: string) {
    super(`${file}: ${what}`);
    this.file = file;
  }
}

export class PoolFullError extends MabsError {
  readonly code = 'MABS-POOL-FULL';
  readonly hint = 'Make room on the volume, or free some with `mabs pool prune --empty-trash`; then run the command again.';
  override readonly kind = 'space';
  constructor(where: string, options?: ErrorOptions) {
    super(`no space left on ${where}`, options);
  }
}

/** The volume refused an operation; the system's error is the cause. */
export class StoreError extends MabsError {
  readonly code = 'MABS-STORE-IO';
  readonly hint = 'Check that the pool volume is connected, healthy and writable for this user; then run the command again.';
  constructor(what: string, options?: ErrorOptions) {
    const why = (options?.cause as { message?: unknown } | undefined)?.message;
    super(why ? `${what} failed: ${why}` : `${what} failed`, options);
  }
}
