import { crc32 } from 'node:zlib';
import type { BlobReader, BlobStore } from '../stores/blob-store.ts';
import type { PoolKeys, SealedPack } from './block.ts';
import {
  decodePackHeader,
  decodePackTrailer,
  PACK_HEADER_BYTES,
  PACK_TRAILER_BYTES,
  type PackHeader,
  type PackTrailer,
  packKeyOf,
} from './pack-format.ts';
import { blockAbout, PackPiece } from './pack-sealing.ts';
import { PoolObjectDamagedError } from './pool-errors.ts';
import { deriveObjectKey, pieceNonce, unseal } from './sealing.ts';

/** The header of a pack, verified: it is this pool's and this pack's. */
export async function readPackHeader(blob: BlobReader, poolId: Uint8Array): Promise<PackHeader> {
  if (blob.sizeBytes < PACK_HEADER_BYTES + PACK_TRAILER_BYTES)
    throw new PoolObjectDamagedError(blob.name, 0, 'it is shorter than a pack can be');
  const bytes = Buffer.alloc(PACK_HEADER_BYTES);
  await blob.read(0, bytes);
  const header = decodePackHeader(blob.name, bytes);
  checkIdentity(blob.name, header, poolId);
  return header;
}

/** The trailer of a pack, verified. */
export async function readPackTrailer(blob: BlobReader, poolId: Uint8Array): Promise<PackTrailer> {
  if (blob.sizeBytes < PACK_HEADER_BYTES + PACK_TRAILER_BYTES)
    throw new PoolObjectDamagedError(blob.name, 0, 'it is shorter than a pack can be');
  const bytes = Buffer.alloc(PACK_TRAILER_BYTES);
  await blob.read(blob.sizeBytes - PACK_TRAILER_BYTES, bytes);
  const trailer = decodePackTrailer(blob.name, bytes, blob.sizeBytes);
  checkIdentity(blob.name, trailer, poolId);
  return trailer;
}

/** A pack's table of blocks, verified and unsealed: all that the index needs of it. */
export async function readPackTable(store: BlobStore, name: string, poolId: Uint8Array, keys: PoolKeys | undefined): Promise<SealedPack> {
  await using blob = await store.open(name);
  const header = await readPackHeader(blob, poolId);
  const trailer = await readPackTrailer(blob, poolId);
  const stored = Buffer.alloc(trailer.tableLength);
  await blob.read(trailer.tableOffset, stored);
  return { name, sizeBytes: blob.sizeBytes, table: openTable(name, header, trailer, stored, keys) };
}

/** The plain table out of its stored bytes. */
export function openTable(
  file: string,
  header: PackHeader,
  trailer: PackTrailer,
  stored: Uint8Array,
  keys: PoolKeys | undefined,
): Uint8Array {
  const damaged = (what: string) => new PoolObjectDamagedError(file, trailer.tableOffset, what);
  if (crc32(stored) !== trailer.tableCrc) throw damaged('the checksum of its table is wrong');
  if (header.sealed !== trailer.sealed || header.sealed !== (keys !== undefined)) throw damaged('it is not sealed as its pool is');
  if (!keys) return stored;
  const key = deriveObjectKey(keys.seal, header.salt, 'mabs 1 pack');
  const about = blockAbout(header.poolId, header.packKey, PackPiece.table, trailer.blockCount);
  const table = unseal(key, pieceNonce(PackPiece.table, 0), about, stored);
  if (!table) throw damaged('its table was not sealed by this pool');
  return table;
}

function checkIdentity(file: string, { poolId, packKey }: Pick<PackHeader, 'poolId' | 'packKey'>, ownPoolId: Uint8Array): void {
  if (!Buffer.from(poolId).equals(ownPoolId)) throw new PoolObjectDamagedError(file, 16, 'it belongs to another pool');
  const expected = packKeyOf(file);
  if (!expected || !Buffer.from(packKey).equals(expected))
    throw new PoolObjectDamagedError(file, 32, 'it is another pack than its name says');
}
