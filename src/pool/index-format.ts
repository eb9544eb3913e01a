import { crc32 } from 'node:zlib';
import { BlockKind, type BlockLocation, Codec, DIGEST_BYTES, type PoolKeys } from './block.ts';
import { PACK_KEY_BYTES } from './pack-format.ts';
import { PoolNewerError, PoolObjectDamagedError } from './pool-errors.ts';
import { deriveObjectKey, pieceNonce, sealInto, TAG_BYTES, unseal } from './sealing.ts';

/** docs/formats/pool.md, Index segments. */
export const INDEX_VERSION = 1;
export const PAGE_BYTES = 4096;
/** Bytes of a page that carry content; tag, checksum, number and reserved bytes follow. */
export const PAGE_CONTENT_BYTES = 4032;
export const ENTRY_BYTES = 48;
export const ENTRIES_PER_PAGE = PAGE_CONTENT_BYTES / ENTRY_BYTES;
export const FENCES_PER_PAGE = PAGE_CONTENT_BYTES / 4;
export const FILTER_BLOCK_BYTES = 64;
export const PACKS_PER_PAGE = PAGE_CONTENT_BYTES / PACK_KEY_BYTES;

const CRC_AT = PAGE_CONTENT_BYTES + TAG_BYTES;
const NUMBER_AT = CRC_AT + 4;
const MAGIC = 'MABSINDX';
const FLAG_SEALED = 1;
const PAGE_CLASS = 1;

/** What seals and opens the pages of one segment. */
export interface PageCodec {
  /** A whole page around `content` (at most PAGE_CONTENT_BYTES). */
  encode(number: number, content: Uint8Array): Uint8Array;
  /** The content of page `number`, verified. */
  decode(file: string, number: number, page: Buffer): Buffer;
}

export function createPageCodec(poolId: Uint8Array, keys: PoolKeys | undefined, salt: Uint8Array): PageCodec {
  const key = keys && deriveObjectKey(keys.seal, salt, 'mabs 1 index');
  const about = (number: number) => {
    const bytes = Buffer.alloc(52);
    bytes.set(poolId, 0);
    bytes.set(salt, 16);
    bytes.writeUInt32LE(number, 48);
    return bytes;
  };
  return {
    encode(number, content) {
      const full = new Uint8Array(PAGE_CONTENT_BYTES);
      full.set(content);
      const page = Buffer.alloc(PAGE_BYTES);
      if (key) sealInto(key, pieceNonce(PAGE_CLASS, number), about(number), full, page, 0);
      else page.set(full);
      return framed(page, number);
    },
    decode(file, number, page) {
      checkFrame(file, number, page);
      if (!key) return page.subarray(0, PAGE_CONTENT_BYTES);
      const content = unseal(key, pieceNonce(PAGE_CLASS, number), about(number), page.subarray(0, CRC_AT));
      if (!content) throw new PoolObjectDamagedError(file, number * PAGE_BYTES, `its page ${number} was not sealed by this pool`);
      return content;
    },
  };
}

/** Holds a page against its checksum, its number and its reserved bytes, which needs no key. */
export function checkFrame(file: string, number: number, page: Buffer): void {
  const intact =
    crc32(page.subarray(0, CRC_AT)) === page.readUInt32LE(CRC_AT) &&
    page.readUInt32LE(NUMBER_AT) === number &&
    page.subarray(NUMBER_AT + 4).every((byte) => byte === 0);
  if (!intact) throw new PoolObjectDamagedError(file, number * PAGE_BYTES, `the checksum of its page ${number} is wrong`);
}

function framed(page: Buffer, number: number): Buffer {
  page.writeUInt32LE(crc32(page.subarray(0, CRC_AT)), CRC_AT);
  page.writeUInt32LE(number, NUMBER_AT);
  return page;
}

/** The last page of a segment; it is never sealed. Pages stand in the order entries, fences, filter, packs, trailer. */
export interface SegmentTrailer {
  readonly sealed: boolean;
  readonly poolId: Uint8Array;
  readonly salt: Uint8Array;
  readonly entries: number;
  readonly entryPages: number;
  readonly filterBlocks: number;
  readonly packs: number;
}

export const fencePages = (entryPages: number) => Math.ceil(entryPages / FENCES_PER_PAGE);
export const filterPages = (filterBlocks: number) => Math.ceil((filterBlocks * FILTER_BLOCK_BYTES) / PAGE_CONTENT_BYTES);
export const packPages = (packs: number) => Math.ceil(packs / PACKS_PER_PAGE);

/** Pages of a segment before its trailer. */
export function pagesBeforeTrailer({ entryPages, filterBlocks, packs }: SegmentTrailer): number {
  return entryPages + fencePages(entryPages) + filterPages(filterBlocks) + packPages(packs);
}

export function encodeSegmentTrailer(trailer: SegmentTrailer): Buffer {
  const page = Buffer.alloc(PAGE_BYTES);
  page.write(MAGIC, 0, 'latin1');
  page.writeUInt16LE(INDEX_VERSION, 8);
  page.writeUInt16LE(trailer.sealed ? FLAG_SEALED : 0, 10);
  page.set(trailer.poolId, 16);
  page.set(trailer.salt, 32);
  page.writeBigUInt64LE(BigInt(trailer.entries), 64);
  page.writeUInt32LE(trailer.entryPages, 72);
  page.writeUInt32LE(trailer.filterBlocks, 76);
  page.writeUInt32LE(trailer.packs, 80);
  return framed(page, pagesBeforeTrailer(trailer));
}

export function decodeSegmentTrailer(file: string, page: Buffer, sizeBytes: number, poolId: Uint8Array, sealed: boolean): SegmentTrailer {
  const damaged = (what: string) => new PoolObjectDamagedError(file, Math.max(0, sizeBytes - PAGE_BYTES), what);
  if (page.toString('latin1', 0, 8) !== MAGIC) throw damaged('it does not end as an index segment does');
  const number = sizeBytes / PAGE_BYTES - 1;
  checkFrame(file, number, page);
  const version = page.readUInt16LE(8);
  if (version !== INDEX_VERSION || page.readUInt16LE(10) > FLAG_SEALED)
    throw new PoolNewerError(file, Math.max(version, INDEX_VERSION + 1));
  const trailer: SegmentTrailer = {
    sealed: page.readUInt16LE(10) === FLAG_SEALED,
    poolId: page.subarray(16, 32),
    salt: page.subarray(32, 64),
    entries: Number(page.readBigUInt64LE(64)),
    entryPages: page.readUInt32LE(72),
    filterBlocks: page.readUInt32LE(76),
    packs: page.readUInt32LE(80),
  };
  if (!Buffer.from(poolId).equals(trailer.poolId) || trailer.sealed !== sealed) throw damaged('it belongs to another pool');
  if (trailer.entryPages !== Math.ceil(trailer.entries / ENTRIES_PER_PAGE) || trailer.filterBlocks < 1)
    throw damaged('its counts are wrong');
  if (pagesBeforeTrailer(trailer) !== number) throw damaged('its trailer does not fit its size');
  return trailer;
}

/** One entry of a segment: where a block lies, its pack as a number in the segment's list of packs. */
export interface IndexEntry extends Omit<BlockLocation, 'pack'> {
  readonly packNumber: number;
}

const RAW_BITS = 21;
const LENGTH_MASK = 2 ** RAW_BITS - 1;

/** Entry: digest 32, pack u32, offset u32, ordinal u16, stored length 21 bits and kind 3 bits, raw length 21 bits and codec 3 bits. */
export function writeIndexEntry(into: Buffer, at: number, digest: Uint8Array, entry: IndexEntry): void {
  into.set(digest, at);
  into.writeUInt32LE(entry.packNumber, at + 32);
  into.writeUInt32LE(entry.offset, at + 36);
  into.writeUInt16LE(entry.ordinal, at + 40);
  into.writeUIntLE(entry.storedLength | (entry.kind << RAW_BITS), at + 42, 3);
  into.writeUIntLE(entry.rawLength | (entry.codec << RAW_BITS), at + 45, 3);
}

export function readIndexEntry(file: string, from: Buffer, at: number): IndexEntry {
  const stored = from.readUIntLE(at + 42, 3);
  const raw = from.readUIntLE(at + 45, 3);
  const kind = stored >>> RAW_BITS;
  const codec = raw >>> RAW_BITS;
  if (kind < BlockKind.data || kind > BlockKind.mapPage || codec > Codec.zstd) throw new PoolNewerError(file, INDEX_VERSION + 1);
  return {
    packNumber: from.readUInt32LE(at + 32),
    offset: from.readUInt32LE(at + 36),
    ordinal: from.readUInt16LE(at + 40),
    storedLength: stored & LENGTH_MASK,
    kind: kind as BlockKind,
    rawLength: raw & LENGTH_MASK,
    codec: codec as Codec,
  };
}

/** The first 32 bits of a digest, by which pages are found. */
export const digestPrefix = (digest: Uint8Array, at = 0) =>
  ((digest[at]! << 24) | (digest[at + 1]! << 16) | (digest[at + 2]! << 8) | digest[at + 3]!) >>> 0;

/** Compares two digests within buffers. */
export function compareDigests(a: Buffer, atA: number, b: Buffer, atB: number): number {
  return a.compare(b, atB, atB + DIGEST_BYTES, atA, atA + DIGEST_BYTES);
}
