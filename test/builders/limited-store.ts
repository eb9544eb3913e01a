import { type BlobReader, type BlobStore, type BlobWriter, PoolFullError } from '../../src/stores/blob-store.ts';

/** A store with room for so many bytes of objects, those that are being written included. */
export class LimitedStore implements BlobStore {
  readonly descriptor;
  limitBytes: number;
  readonly #store: BlobStore;
  #unfinished = 0;

  constructor(store: BlobStore, limitBytes: number) {
    this.#store = store;
    this.limitBytes = limitBytes;
    this.descriptor = store.descriptor;
  }

  async create(name: string): Promise<BlobWriter> {
    const writer = await this.#store.create(name);
    const take = (length: number) => this.#take(length);
    const end = () => {
      this.#unfinished -= writer.sizeBytes;
    };
    let open = true;
    return {
      name,
      get sizeBytes() {
        return writer.sizeBytes;
      },
      async append(bytes) {
        await take(bytes.length);
        await writer.append(bytes);
      },
      async seal() {
        if (open) end();
        open = false;
        await writer.seal();
      },
      async abort() {
        if (open) end();
        open = false;
        await writer.abort();
      },
    };
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    await this.#take(bytes.length);
    this.#unfinished -= bytes.length;
    await this.#store.put(name, bytes);
  }

  open(name: string): Promise<BlobReader> {
    return this.#store.open(name);
  }

  get(name: string, maxBytes?: number): Promise<Uint8Array> {
    return this.#store.get(name, maxBytes);
  }

  list(prefix: string) {
    return this.#store.list(prefix);
  }

  remove(name: string): Promise<void> {
    return this.#store.remove(name);
  }

  removeTemporary(prefix: string, keep: (name: string) => boolean): Promise<number> {
    return this.#store.removeTemporary(prefix, keep);
  }

  space() {
    return this.#store.space();
  }

  async #take(length: number): Promise<void> {
    let used = this.#unfinished;
    for await (const { sizeBytes } of this.#store.list('')) used += sizeBytes;
    if (used + length > this.limitBytes) throw new PoolFullError('the volume');
    this.#unfinished += length;
  }
}
