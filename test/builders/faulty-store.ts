import type { BlobReader, BlobStore, BlobWriter } from '../../src/stores/blob-store.ts';

/** What happens at the chosen operation and, unless `once`, at each one after it. */
export interface Fault {
  /** The number of the operation, from 1, counted over everything that changes the store. */
  readonly stopAt: number;
  readonly error?: () => Error;
  readonly once?: boolean;
  /** Counts reads and listings too. */
  readonly reads?: boolean;
}

/** A store whose n-th operation fails, and all after it: as if the process had died there, or the volume had failed. */
export class FaultyStore implements BlobStore {
  readonly descriptor;
  operations = 0;
  readonly #store: BlobStore;
  readonly #fault: Fault;

  constructor(store: BlobStore, fault: Fault) {
    this.#store = store;
    this.#fault = fault;
    this.descriptor = store.descriptor;
  }

  async create(name: string): Promise<BlobWriter> {
    this.#change();
    const writer = await this.#store.create(name);
    const change = () => this.#change();
    return {
      name,
      get sizeBytes() {
        return writer.sizeBytes;
      },
      async append(bytes) {
        change();
        await writer.append(bytes);
      },
      async seal() {
        change();
        await writer.seal();
      },
      async abort() {
        await writer.abort();
      },
    };
  }

  async open(name: string): Promise<BlobReader> {
    this.#read();
    const reader = await this.#store.open(name);
    const read = () => this.#read();
    return {
      name,
      sizeBytes: reader.sizeBytes,
      async read(offset, into) {
        read();
        await reader.read(offset, into);
      },
      [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
    };
  }

  async get(name: string, maxBytes?: number): Promise<Uint8Array> {
    this.#read();
    return await this.#store.get(name, maxBytes);
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    this.#change();
    await this.#store.put(name, bytes);
  }

  async *list(prefix: string) {
    this.#read();
    yield* this.#store.list(prefix);
  }

  async remove(name: string): Promise<void> {
    this.#change();
    await this.#store.remove(name);
  }

  async removeTemporary(prefix: string, keep: (name: string) => boolean): Promise<number> {
    this.#change();
    return await this.#store.removeTemporary(prefix, keep);
  }

  async space() {
    return await this.#store.space();
  }

  #change(): void {
    this.operations += 1;
    const { stopAt, once, error } = this.#fault;
    const fails = once ? this.operations === stopAt : this.operations >= stopAt;
    if (fails) throw error?.() ?? new Error(`the process died at operation ${this.operations}`);
  }

  #read(): void {
    if (this.#fault.reads) this.#change();
  }
}
