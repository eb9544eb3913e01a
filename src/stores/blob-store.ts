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
