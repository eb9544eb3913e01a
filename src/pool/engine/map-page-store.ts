import { BlockKind, Codec, type PackWriter, type SealedPack } from '../block.ts';
import { createDigester, type Digester } from '../digest.ts';
import type { ThreadPorts, WritableBlocks } from './engine-ports.ts';
import { isReadable } from './read-block.ts';

export interface MapPageStoreOptions {
  /** Digests, in hex, of pages whose stored copy is known to be lost. */
  readonly lostPages: ReadonlySet<string>;
  /** Re-use no stored page that cannot be read. */
  readonly readStored: boolean;
}

/**
 * Stores pages of a disk map, as they are: digests do not compress. They have packs of their own, so that whoever walks maps
 * reads little. Pages that the pool has are not stored again, but for those that are known to be lost.
 */
export class MapPageStore {
  readonly #ports: ThreadPorts;
  readonly #options: MapPageStoreOptions;
  readonly #digestOf: Digester;
  readonly #stored = new Set<string>();
  #packs: PackWriter | undefined;

  constructor(ports: ThreadPorts, blocks: WritableBlocks, options: MapPageStoreOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#digestOf = createDigester(blocks.keys);
  }

  async put(page: Uint8Array, baseDigest: Uint8Array): Promise<Uint8Array> {
    const digest = this.#digestOf(page);
    const key = digest.toString('hex');
    const lost = this.#options.lostPages.has(key);
    if (this.#stored.has(key) || (!lost && digest.equals(baseDigest))) return digest;
    if (!lost && (await this.#isReusable(digest))) return digest;
    this.#packs ??= this.#ports.createPackWriter();
    await this.#packs.add(digest, { kind: BlockKind.mapPage, codec: Codec.stored, rawLength: page.length, coded: page });
    // Equal pages are neighbours as a rule: remembering a bounded number of them is enough.
    if (this.#stored.size >= 4096) this.#stored.clear();
    this.#stored.add(key);
    return digest;
  }

  async #isReusable(digest: Uint8Array): Promise<boolean> {
    const location = await this.#ports.index.findReusable(digest);
    if (!location || !this.#options.readStored) return location !== undefined;
    return await isReadable(this.#ports, digest, location);
  }

  async finish(): Promise<SealedPack[]> {
    return (await this.#packs?.finish()) ?? [];
  }

  async abort(): Promise<void> {
    await this.#packs?.abort().catch(() => {});
  }
}
