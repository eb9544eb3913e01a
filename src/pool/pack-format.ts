import { crc32 } from 'node:zlib';
import { type BlockKind, Codec, DIGEST_BYTES } from './block.ts';
import { PoolNewerError, PoolObjectDamagedError } from './pool-errors.ts';

/** docs/formats/pool.md, Packs. */
export const PACK_VERSION = 1;
export const PACK_HEADER_BYTES = 128;
export const PACK_TRAILER_BYTES = 128;
export const TABLE_ENTRY_BYTES = 48;
export const CHECK_ENTRY_BYTES = 8;
/** Bytes that name a pack: epoch, then eight random ones. */
export const PACK_KEY_BYTES = 12;
/** An index entry gives a block's ordinal 16 bits. */
export const MAX_BLOCKS_IN_PACK = 65_535;
/** Of a block before coding; a longer one is hostile. */
export const MAX_RAW_LENGTH = 1024 * 1024;
/** Of a block as stored: what does not shrink is stored as it is, and a tag follows. */
export const MAX_STORED_LENGTH = MAX_RAW_LENGTH + 64;

const HEADER_MAGIC = 'MABSPACK';
const TRAILER_MAGIC = 'MABSPEND';
const FLAG_SEALED = 1;

export interface PackHeader {
  readonly sealed: boolean;
  readonly poolId: Uint8Array;
  readonly packKey: Uint8Array;
  readonly salt: Uint8Array;
}

export interface PackTrailer extends Omit<PackHeader, 'salt'> {
  readonly blockCount: number;
  /** Check table: stored length and CRC-32 of each block. Begins where the blocks end. */
  readonly checkOffset: number;
  readonly checkCrc: number;
  readonly tableOffset: number;
  readonly tableLength: number;
  readonly tableCrc: number;
  readonly headerCrc: number;
}

/** The object name of a pack; packs of one epoch lie in one folder, of which there are 256. */
export function packName(packKey: Uint8Array): string {
  const key = Buffer.from(packKey.buffer, packKey.byteOffset, PACK_KEY_BYTES);
  const epoch = key.readUInt32LE(0);
  const folder = (epoch & 0xff).toString(16).padStart(2, '0');
  return `packs/${folder}/${epoch.toString(16).padStart(8, '0')}-${key.toString('hex', 4)}.pack`;
}

/** The key of a pack by its object name, if it is one. */
export function packKeyOf(name: string): Uint8Array | undefined {
  const match = /^packs\/[0-9a-f]{2}\/([0-9a-f]{8})-([0-9a-f]{16})\.pack$/.exec(name);
  if (!match) return undefined;
  const key = Buffer.alloc(PACK_KEY_BYTES);
  key.writeUInt32LE(Number.parseInt(match[1]!, 16), 0);
  key.write(match[2]!, 4, 'hex');
  return packName(key) === name ? key : undefined;
}

/** The epoch in which a pack was written. */
export function packEpoch(packKey: Uint8Array): number {
  return Buffer.from(packKey.buffer, packKey.byteOffset, 4).readUInt32LE(0);
}

export function encodePackHeader(header: PackHeader): Buffer {
  const bytes = Buffer.alloc(PACK_HEADER_BYTES);
  bytes.write(HEADER_MAGIC, 0, 'latin1');
  bytes.writeUInt16LE(PACK_VERSION, 8);
  bytes.writeUInt16LE(header.sealed ? FLAG_SEALED : 0, 10);
  bytes.writeUInt32LE(PACK_HEADER_BYTES, 12);
  bytes.set(header.poolId, 16);
  bytes.set(header.packKey, 32);
  bytes.set(header.salt, 48);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 124)), 124);
  return bytes;
}

export function decodePackHeader(file: string, bytes: Buffer): PackHeader {
  if (bytes.toString('latin1', 0, 8) !== HEADER_MAGIC) throw new PoolObjectDamagedError(file, 0, 'it does not begin as a pack does');
  if (crc32(bytes.subarray(0, 124)) !== bytes.readUInt32LE(124))
    throw new PoolObjectDamagedError(file, 0, 'the checksum of its header is wrong');
  checkVersion(file, bytes.readUInt16LE(8), bytes.readUInt16LE(10));
  return {
    sealed: (bytes.readUInt16LE(10) & FLAG_SEALED) !== 0,
    poolId: bytes.subarray(16, 32),
    packKey: bytes.subarray(32, 44),
    salt: bytes.subarray(48, 80),
  };
}

export function encodePackTrailer(trailer: PackTrailer): Buffer {
  const bytes = Buffer.alloc(PACK_TRAILER_BYTES);
  bytes.write(TRAILER_MAGIC, 0, 'latin1');
  bytes.writeUInt16LE(PACK_VERSION, 8);
  bytes.writeUInt16LE(trailer.sealed ? FLAG_SEALED : 0, 10);
  bytes.writeUInt32LE(trailer.blockCount, 12);
  bytes.set(trailer.poolId, 16);
  bytes.set(trailer.packKey, 32);
  bytes.writeUInt32LE(trailer.headerCrc, 44);
  bytes.writeBigUInt64LE(BigInt(trailer.checkOffset), 48);
  bytes.writeBigUInt64LE(BigInt(trailer.tableOffset), 56);
  bytes.writeUInt32LE(trailer.tableLength, 64);
  bytes.writeUInt32LE(trailer.checkCrc, 68);
  bytes.writeUInt32LE(trailer.tableCrc, 72);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 124)), 124);
  return bytes;
}

/** Reads a trailer and holds its offsets and counts against each other and the size of the file. */
export function decodePackTrailer(file: string, bytes: Buffer, sizeBytes: number): PackTrailer {
  const damaged = (what: string) => new PoolObjectDamagedError(file, Math.max(0, sizeBytes - PACK_TRAILER_BYTES), what);
  if (bytes.toString('latin1', 0, 8) !== TRAILER_MAGIC) throw damaged('it does not end as a pack does');
  if (crc32(bytes.subarray(0, 124)) !== bytes.readUInt32LE(124)) throw damaged('the checksum of its trailer is wrong');
  checkVersion(file, bytes.readUInt16LE(8), bytes.readUInt16LE(10));
  const trailer: PackTrailer = {
    sealed: (bytes.readUInt16LE(10) & FLAG_SEALED) !== 0,
    blockCount: bytes.readUInt32LE(12),
    poolId: bytes.subarray(16, 32),
    packKey: bytes.subarray(32, 44),
    headerCrc: bytes.readUInt32LE(44),
    checkOffset: Number(bytes.readBigUInt64LE(48)),
    tableOffset: Number(bytes.readBigUInt64LE(56)),
    tableLength: bytes.readUInt32LE(64),
    checkCrc: bytes.readUInt32LE(68),
    tableCrc: bytes.readUInt32LE(72),
  };
  const { blockCount, checkOffset, tableOffset, tableLength, sealed } = trailer;
  const consistent =
    blockCount <= MAX_BLOCKS_IN_PACK &&
    checkOffset >= PACK_HEADER_BYTES &&
    tableOffset === checkOffset + blockCount * CHECK_ENTRY_BYTES &&
    tableLength === blockCount * TABLE_ENTRY_BYTES + (sealed ? 16 : 0) &&
    tableOffset + tableLength + PACK_TRAILER_BYTES === sizeBytes;
  if (!consistent) throw damaged('its trailer does not fit its size');
  return trailer;
}

function checkVersion(file: string, version: number, flags: number): void {
  if (version !== PACK_VERSION || flags > FLAG_SEALED) throw new PoolNewerError(file, Math.max(version, PACK_VERSION + 1));
}

/** One entry of a pack's table of blocks. */
export interface TableEntry {
  readonly digest: Uint8Array;
  readonly rawLength: number;
  readonly storedLength: number;
  readonly kind: BlockKind;
  readonly codec: Codec;
}

export function writeTableEntry(table: Uint8Array, index: number, entry: TableEntry): void {
  const view = new DataView(table.buffer, table.byteOffset + index * TABLE_ENTRY_BYTES, TABLE_ENTRY_BYTES);
  table.set(entry.digest, index * TABLE_ENTRY_BYTES);
  view.setUint32(32, entry.rawLength, true);
  view.setUint32(36, entry.storedLength, true);
  view.setUint8(40, entry.kind);
  view.setUint8(41, entry.codec);
}

/** The entries of a table in the order of the blocks, each with where its block lies in the pack. */
export function* tableEntries(
  file: string,
  table: Uint8Array,
): Generator<TableEntry & { readonly ordinal: number; readonly offset: number }> {
  let offset = PACK_HEADER_BYTES;
  for (let ordinal = 0; ordinal * TABLE_ENTRY_BYTES < table.length; ordinal += 1) {
    const start = ordinal * TABLE_ENTRY_BYTES;
    const view = new DataView(table.buffer, table.byteOffset + start, TABLE_ENTRY_BYTES);
    const rawLength = view.getUint32(32, true);
    const storedLength = view.getUint32(36, true);
    const kind = view.getUint8(40);
    const codec = view.getUint8(41);
    if (rawLength > MAX_RAW_LENGTH || storedLength > MAX_STORED_LENGTH || kind < 1 || kind > 7) {
      throw new PoolObjectDamagedError(file, offset, `entry ${ordinal} of its table is out of range`);
    }
    if (codec > Codec.zstd || kind > 2) throw new PoolNewerError(file, PACK_VERSION + 1);
    const digest = table.subarray(start, start + DIGEST_BYTES);
    yield { digest, rawLength, storedLength, kind: kind as BlockKind, codec: codec as Codec, ordinal, offset };
    offset += storedLength;
  }
}
