import { crc32 } from 'node:zlib';
import { alignedBuffer } from '../lib/aligned-buffer.ts';
import { MabsError } from '../lib/errors.ts';
import type { BlobReader, BlobStore } from '../stores/blob-store.ts';
import type { PoolKeys } from './block.ts';
import { createDigester } from './digest.ts';
import { CHECK_ENTRY_BYTES, PACK_HEADER_BYTES, type PackHeader, type PackTrailer, tableEntries } from './pack-format.ts';
import { decodeBlock } from './pack-reader.ts';
import { blockAbout, PackPiece } from './pack-sealing.ts';
import { openTable, readPackHeader, readPackTrailer } from './pack-tables.ts';
import { BlockDamagedError, PoolObjectDamagedError } from './pool-errors.ts';
import { deriveObjectKey, pieceNonce, unseal } from './sealing.ts';

const WINDOW_BYTES = 4 * 1024 * 1024;

/** Something wrong in a pack. With `digest` it is one block, else the pack's own structure. */
export interface PackDamage {
  readonly offset: number;
  readonly kind: string;
  readonly digest?: Uint8Array;
  readonly ordinal?: number;
}

export interface PackCheck {
  readonly name: string;
  readonly blocksRead: number;
  readonly bytesRead: number;
  readonly damage: readonly PackDamage[];
}

/** How much of a pack is looked at: header, tables and trailer, or every byte. */
export type PackDepth = 'structure' | 'all';

/** What checking packs needs; plain data, but for the store. */
export interface PackChecking {
  readonly poolId: Uint8Array;
  readonly keys?: PoolKeys | undefined;
}

/**
 * Holds one pack against everything that is known of it: checksums of header, tables and trailer, and with `all` of each block its
 * checksum, its seal, its length and its digest. Damage is answered, not thrown; whatever else fails is thrown.
 */
export async function checkPack(store: BlobStore, name: string, { poolId, keys }: PackChecking, depth: PackDepth): Promise<PackCheck> {
  const damage: PackDamage[] = [];
  let blob: BlobReader;
  try {
    blob = await store.open(name);
  } catch (error) {
    return { name, blocksRead: 0, bytesRead: 0, damage: [damageOf(error)] };
  }
  await using _closed = blob;
  const header = await attempt(damage, () => readPackHeader(blob, poolId));
  const trailer = await attempt(damage, () => readPackTrailer(blob, poolId));
  if (!header || !trailer) return { name, blocksRead: 0, bytesRead: 0, damage };
  const table = await attempt(damage, () => readTable(blob, header, trailer, keys));
  const checks = await attempt(damage, () => readCheckTable(blob, trailer));
  if (!table || !checks || depth === 'structure') return { name, blocksRead: 0, bytesRead: 0, damage };
  const read = await attempt(damage, () => checkBlocks(blob, { header, trailer, table, checks, poolId, keys }, damage));
  return { name, damage, blocksRead: read ?? 0, bytesRead: blob.sizeBytes };
}

async function readTable(blob: BlobReader, header: PackHeader, trailer: PackTrailer, keys: PoolKeys | undefined): Promise<Uint8Array> {
  const stored = Buffer.alloc(trailer.tableLength);
  await blob.read(trailer.tableOffset, stored);
  return openTable(blob.name, header, trailer, stored, keys);
}

async function readCheckTable(blob: BlobReader, trailer: PackTrailer): Promise<Buffer> {
  const checks = Buffer.alloc(trailer.blockCount * CHECK_ENTRY_BYTES);
  await blob.read(trailer.checkOffset, checks);
  if (crc32(checks) !== trailer.checkCrc)
    throw new PoolObjectDamagedError(blob.name, trailer.checkOffset, 'the checksum of its check table is wrong');
  return checks;
}

interface OpenedPack extends PackChecking {
  readonly header: PackHeader;
  readonly trailer: PackTrailer;
  readonly table: Uint8Array;
  readonly checks: Buffer;
}

/** Reads all blocks in order, in large pieces; answers how many there were. */
async function checkBlocks(blob: BlobReader, pack: OpenedPack, damage: PackDamage[]): Promise<number> {
  const { header, trailer, table, checks, poolId, keys } = pack;
  const digestOf = createDigester(keys);
  const key = keys && deriveObjectKey(keys.seal, header.salt, 'mabs 1 pack');
  const window = new ReadWindow(blob);
  let blocks = 0;
  let end = PACK_HEADER_BYTES;
  for (const entry of tableEntries(blob.name, table)) {
    const { ordinal, offset, storedLength, digest } = entry;
    end = offset + storedLength;
    if (end > trailer.checkOffset || checks.readUInt32LE(ordinal * CHECK_ENTRY_BYTES) !== storedLength) {
      throw new PoolObjectDamagedError(blob.name, offset, `its tables disagree about block ${ordinal}`);
    }
    const stored = await window.read(offset, storedLength);
    await attempt(
      damage,
      async () => {
        const wrong = (what: string) => new BlockDamagedError(blob.name, offset, what);
        if (crc32(stored) !== checks.readUInt32LE(ordinal * CHECK_ENTRY_BYTES + 4)) throw wrong('its checksum is wrong');
        const about = blockAbout(poolId, header.packKey, PackPiece.block, ordinal);
        const coded = key ? unseal(key, pieceNonce(PackPiece.block, ordinal), about, stored) : stored;
        if (!coded) throw wrong('it is not what was sealed there');
        if (!digestOf(decodeBlock({ ...entry, pack: blob.name }, coded)).equals(digest)) throw wrong('its digest is wrong');
      },
      { digest: Uint8Array.from(digest), ordinal },
    );
    blocks += 1;
  }
  if (end !== trailer.checkOffset) throw new PoolObjectDamagedError(blob.name, end, 'its blocks end before its tables begin');
  return blocks;
}

/** Reads on in large pieces into one page-aligned buffer. */
class ReadWindow {
  readonly #blob: BlobReader;
  readonly #buffer = alignedBuffer(WINDOW_BYTES);
  #offset = 0;
  #length = 0;

  constructor(blob: BlobReader) {
    this.#blob = blob;
  }

  /** A view that is valid until the next call. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    if (offset < this.#offset || offset + length > this.#offset + this.#length) {
      this.#offset = offset;
      this.#length = Math.min(WINDOW_BYTES, this.#blob.sizeBytes - offset);
      await this.#blob.read(offset, this.#buffer.subarray(0, this.#length));
    }
    return this.#buffer.subarray(offset - this.#offset, offset - this.#offset + length);
  }
}

/** Runs one step; damage that it rejects with is noted, and the answer is then undefined. */
async function attempt<T>(
  damage: PackDamage[],
  step: () => Promise<T>,
  block: { readonly digest?: Uint8Array; readonly ordinal?: number } = {},
): Promise<T | undefined> {
  try {
    return await step();
  } catch (error) {
    damage.push({ ...damageOf(error), ...block });
    return undefined;
  }
}

/** An error of kind `damaged` as damage; any other is thrown on. */
export function damageOf(error: unknown): { readonly offset: number; readonly kind: string } {
  if (!(error instanceof MabsError && error.kind === 'damaged')) throw error;
  const offset = 'offset' in error && typeof error.offset === 'number' ? error.offset : 0;
  return { offset, kind: KINDS[error.code] ?? 'structure' };
}

/** What `pool check` calls the kinds of damage. */
const KINDS: Readonly<Record<string, string>> = {
  'MABS-BLOB-MISSING': 'missing',
  'MABS-BLOCK-DAMAGED': 'block',
  'MABS-BLOCK-MISSING': 'block-missing',
  'MABS-MAP-DAMAGED': 'map',
  'MABS-BLOB-SIZE': 'truncated',
};
