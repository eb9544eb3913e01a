import { zstdDecompressSync } from 'node:zlib';
import type { BlobReader, BlobStore } from '../stores/blob-store.ts';
import { type BlockLocation, Codec, type PackReader, type PoolKeys } from './block.ts';
import { createDigester, type Digester } from './digest.ts';
import { MAX_RAW_LENGTH, MAX_STORED_LENGTH } from './pack-format.ts';
import { blockAbout, PackPiece } from './pack-sealing.ts';
import { readPackHeader } from './pack-tables.ts';
import { BlockDamagedError } from './pool-errors.ts';
import { deriveObjectKey, pieceNonce, unseal } from './sealing.ts';

const MAX_OPEN_PACKS = 24;
/** Read at once when blocks are read one after another, as restores and checks do. */
const READ_AHEAD_BYTES = 512 * 1024;

interface OpenPack {
  readonly blob: BlobReader;
  readonly packKey: Uint8Array;
  readonly key: Uint8Array | undefined;
  /** Bytes read ahead; never overwritten, so that blocks may point into them. */
  ahead: { readonly offset: number; readonly bytes: Buffer };
  lastEnd: number;
}

/** Reads blocks out of the packs of a pool; keeps the most recently used packs open. */
export function createPackReader(store: BlobStore, poolId: Uint8Array, keys: PoolKeys | undefined): StorePackReader {
  return new StorePackReader(store, poolId, keys);
}

export class StorePackReader implements PackReader {
  readonly #store: BlobStore;
  readonly #poolId: Uint8Array;
  readonly #keys: PoolKeys | undefined;
  readonly #digestOf: Digester;
  readonly #packs = new Map<string, Promise<OpenPack>>();

  constructor(store: BlobStore, poolId: Uint8Array, keys: PoolKeys | undefined) {
    this.#store = store;
    this.#poolId = poolId;
    this.#keys = keys;
    this.#digestOf = createDigester(keys);
  }

  async read(digest: Uint8Array, location: BlockLocation): Promise<Uint8Array> {
    return (await this.readCoded(digest, location)).raw;
  }

  /** The raw block, verified, and the coded bytes that it came from: what moving a block to another pack needs. */
  async readCoded(digest: Uint8Array, location: BlockLocation): Promise<{ readonly raw: Uint8Array; readonly coded: Uint8Array }> {
    const pack = await this.#open(location.pack);
    const coded = this.#unseal(pack, location, await readStored(pack, location));
    const raw = decodeBlock(location, coded);
    if (!this.#digestOf(raw).equals(digest)) throw new BlockDamagedError(location.pack, location.offset, 'its digest is wrong');
    return { raw, coded };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const packs = [...this.#packs.values()];
    this.#packs.clear();
    for (const pack of packs) await close(pack);
  }

  #open(name: string): Promise<OpenPack> {
    const known = this.#packs.get(name);
    this.#packs.delete(name);
    const pack = known ?? this.#openAnew(name);
    this.#packs.set(name, pack);
    if (!known) {
      pack.catch(() => this.#packs.delete(name));
      this.#closeOldest();
    }
    return pack;
  }

  async #openAnew(name: string): Promise<OpenPack> {
    const blob = await this.#store.open(name);
    try {
      const header = await readPackHeader(blob, this.#poolId);
      const key = this.#keys && deriveObjectKey(this.#keys.seal, header.salt, 'mabs 1 pack');
      return { blob, packKey: header.packKey, key, ahead: { offset: 0, bytes: Buffer.alloc(0) }, lastEnd: -1 };
    } catch (error) {
      await blob[Symbol.asyncDispose]();
      throw error;
    }
  }

  #closeOldest(): void {
    for (const [name, pack] of this.#packs) {
      if (this.#packs.size <= MAX_OPEN_PACKS) return;
      this.#packs.delete(name);
      // Reads under way end first: they were begun before the handle's close is, and a handle waits for them.
      void close(pack);
    }
  }

  #unseal(pack: OpenPack, location: BlockLocation, stored: Buffer): Buffer {
    if (!pack.key) return stored;
    const about = blockAbout(this.#poolId, pack.packKey, PackPiece.block, location.ordinal);
    const coded = unseal(pack.key, pieceNonce(PackPiece.block, location.ordinal), about, stored);
    if (!coded) throw new BlockDamagedError(location.pack, location.offset, 'it is not what was sealed there');
    return coded;
  }
}

/** The block before it was coded. Its length is known, so that a few bytes cannot unfold into gigabytes. */
export function decodeBlock(location: BlockLocation, coded: Uint8Array): Uint8Array {
  const damaged = (what: string, options?: ErrorOptions) => new BlockDamagedError(location.pack, location.offset, what, options);
  const { rawLength, codec } = location;
  if (rawLength > MAX_RAW_LENGTH) throw damaged(`a length of ${rawLength} bytes is out of range`);
  let raw = coded;
  if (codec === Codec.zstd) {
    try {
      raw = zstdDecompressSync(coded, { chunkSize: Math.max(64, rawLength), maxOutputLength: Math.max(1, rawLength) });
    } catch (error) {
      throw damaged('it cannot be decompressed', { cause: error });
    }
  }
  if (raw.length !== rawLength) throw damaged(`it has ${raw.length} bytes instead of ${rawLength}`);
  return raw;
}

async function readStored(pack: OpenPack, { pack: name, offset, storedLength }: BlockLocation): Promise<Buffer> {
  const { blob } = pack;
  const valid = Number.isSafeInteger(offset) && offset >= 0 && storedLength <= MAX_STORED_LENGTH && offset + storedLength <= blob.sizeBytes;
  if (!valid) throw new BlockDamagedError(name, offset, `${storedLength} bytes there are not within the pack`);
  const { ahead } = pack;
  const sequential = offset === pack.lastEnd;
  pack.lastEnd = offset + storedLength;
  if (offset >= ahead.offset && offset + storedLength <= ahead.offset + ahead.bytes.length) {
    return ahead.bytes.subarray(offset - ahead.offset, offset - ahead.offset + storedLength);
  }
  const length = sequential ? Math.min(Math.max(storedLength, READ_AHEAD_BYTES), blob.sizeBytes - offset) : storedLength;
  const bytes = Buffer.allocUnsafeSlow(length);
  await blob.read(offset, bytes);
  if (sequential) pack.ahead = { offset, bytes };
  return bytes.subarray(0, storedLength);
}

async function close(pack: Promise<OpenPack>): Promise<void> {
  try {
    await (await pack).blob[Symbol.asyncDispose]();
  } catch {
    // A pack that could not be opened was told to whoever read from it.
  }
}
