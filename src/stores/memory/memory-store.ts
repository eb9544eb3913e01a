import {
  BlobExistsError,
  BlobMissingError,
  type BlobReader,
  BlobSizeError,
  type BlobStore,
  type BlobWriter,
  checkBlobName,
  checkBlobPrefix,
  DEFAULT_GET_LIMIT,
} from '../blob-store.ts';

/** The content of one memory store: sealed objects, and what unfinished writers have written. */
interface Volume {
  readonly sealed: Map<string, Uint8Array>;
  readonly unfinished: Set<MemoryWriter>;
}

const volumes = new Map<string, Volume>();

/** A store in this thread's memory. Stores of one id are the same store; another thread does not see them. */
export function openMemoryStore(id: string): BlobStore {
  let volume = volumes.get(id);
  if (!volume) {
    volume = { sealed: new Map(), unfinished: new Set() };
    volumes.set(id, volume);
  }
  return new MemoryStore(id, volume);
}

class MemoryStore implements BlobStore {
  readonly descriptor;
  readonly #volume: Volume;

  constructor(id: string, volume: Volume) {
    this.descriptor = { type: 'memory' as const, id };
    this.#volume = volume;
  }

  async create(name: string): Promise<BlobWriter> {
    checkBlobName(name);
    return new MemoryWriter(name, this.#volume);
  }

  async open(name: string): Promise<BlobReader> {
    return new MemoryReader(name, this.#find(name));
  }

  async get(name: string, maxBytes = DEFAULT_GET_LIMIT): Promise<Uint8Array> {
    const bytes = this.#find(name);
    if (bytes.length > maxBytes) throw new BlobSizeError(name, `${bytes.length} bytes are more than the ${maxBytes} expected`);
    return Uint8Array.from(bytes);
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    const writer = await this.create(name);
    await writer.append(bytes);
    await writer.seal();
  }

  async *list(prefix: string): AsyncGenerator<{ name: string; sizeBytes: number }> {
    checkBlobPrefix(prefix);
    for (const [name, bytes] of [...this.#volume.sealed]) {
      if (name.startsWith(prefix)) yield { name, sizeBytes: bytes.length };
    }
  }

  async remove(name: string): Promise<void> {
    checkBlobName(name);
    this.#volume.sealed.delete(name);
  }

  async removeTemporary(prefix: string, keep: (name: string) => boolean): Promise<number> {
    checkBlobPrefix(prefix);
    const left = [...this.#volume.unfinished].filter(({ name }) => name.startsWith(prefix) && !keep(name));
    for (const writer of left) await writer.abort();
    return left.length;
  }

  async space(): Promise<{ capacityBytes: number; freeBytes: number }> {
    const capacityBytes = 2 ** 40;
    let used = 0;
    for (const bytes of this.#volume.sealed.values()) used += bytes.length;
    return { capacityBytes, freeBytes: Math.max(0, capacityBytes - used) };
  }

  #find(name: string): Uint8Array {
    checkBlobName(name);
    const bytes = this.#volume.sealed.get(name);
    if (!bytes) throw new BlobMissingError(name);
    return bytes;
  }
}

class MemoryWriter implements BlobWriter {
  readonly name: string;
  sizeBytes = 0;
  readonly #volume: Volume;
  readonly #pieces: Uint8Array[] = [];
  #open = true;

  constructor(name: string, volume: Volume) {
    this.name = name;
    this.#volume = volume;
    volume.unfinished.add(this);
  }

  async append(bytes: Uint8Array): Promise<void> {
    if (!this.#open) throw new Error(`${this.name} is no longer being written`);
    this.#pieces.push(Uint8Array.from(bytes));
    this.sizeBytes += bytes.length;
  }

  async seal(): Promise<void> {
    if (!this.#open) throw new Error(`${this.name} is no longer being written`);
    await this.abort();
    if (this.#volume.sealed.has(this.name)) throw new BlobExistsError(this.name);
    this.#volume.sealed.set(this.name, Buffer.concat(this.#pieces));
  }

  async abort(): Promise<void> {
    this.#open = false;
    this.#volume.unfinished.delete(this);
  }
}

class MemoryReader implements BlobReader {
  readonly name: string;
  readonly sizeBytes: number;
  readonly #bytes: Uint8Array;

  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.sizeBytes = bytes.length;
    this.#bytes = bytes;
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    if (!(Number.isSafeInteger(offset) && offset >= 0 && into.length <= this.sizeBytes - offset)) {
      throw new BlobSizeError(this.name, `cannot read ${into.length} bytes at ${offset}, it ends at ${this.sizeBytes}`);
    }
    into.set(this.#bytes.subarray(offset, offset + into.length));
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
