import { bytes, struct, u16le, u32le } from '../../lib/struct.ts';
import { readInside } from '../probe.ts';
import { chainCrc32c, le32 } from './ext-checksum.ts';
import { damaged, type ExtVolume } from './ext-volume.ts';
import { readGroup } from './group-descriptor.ts';

/** Linux, Documentation/filesystems/ext4/inodes.rst. */
const BASE = struct(128, {
  mode: u16le(0),
  uidLow: u16le(2),
  sizeLow: u32le(4),
  accessed: u32le(8),
  changed: u32le(12),
  modified: u32le(16),
  gidLow: u16le(24),
  links: u16le(26),
  sectorsLow: u32le(28),
  flags: u32le(32),
  block: bytes(40, 60),
  generation: u32le(100),
  attributeBlockLow: u32le(104),
  sizeHigh: u32le(108),
  sectorsHigh: u16le(116),
  attributeBlockHigh: u16le(118),
  uidHigh: u16le(120),
  gidHigh: u16le(122),
  checksumLow: u16le(124),
});
/** Beyond the first 128 bytes: each field is there when `extraSize` reaches past it. */
const EXTRA = { size: 128, checksumHigh: 130, changed: 132, modified: 136, accessed: 140, created: 144, createdExtra: 148 } as const;

export const INODE_FLAGS = {
  encrypted: 0x800,
  indexed: 0x1000,
  extents: 0x8_0000,
  attributeValue: 0x20_0000,
  inlineData: 0x1000_0000,
  casefold: 0x4000_0000,
} as const;

/** Formats of `mode & 0xf000` (POSIX S_IFMT as Linux has it). */
export const MODE = { fifo: 0x1000, char: 0x2000, dir: 0x4000, block: 0x6000, file: 0x8000, link: 0xa000, socket: 0xc000 } as const;

/** Seconds since 1970 as stored, and the field that extends them (nanoseconds and two more bits), where there is one. */
export interface InodeTime {
  readonly seconds: number;
  readonly extra?: number;
}

export interface Inode {
  readonly number: number;
  readonly mode: number;
  readonly format: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly flags: number;
  /** As stored; up to 2^64. */
  readonly size: bigint;
  /** In units of 512 bytes or of blocks: only told apart from zero here. */
  readonly sectors: number;
  readonly generation: number;
  /** The 60 bytes of the block map. */
  readonly block: Uint8Array;
  /** The block with its extended attributes; 0 when there is none. */
  readonly attributeBlock: number;
  readonly modified: InodeTime;
  readonly accessed: InodeTime;
  readonly changed: InodeTime;
  readonly created?: InodeTime;
  /** What follows the fields that are in use: extended attributes within the inode. */
  readonly tail: Uint8Array;
  /** Where the CRC-32C of its extents and directory blocks begins. */
  readonly checksumSeed: number;
}

/** An inode by its number, which may come from a directory that is damaged. */
export async function readInode(ext: ExtVolume, number: number): Promise<Inode> {
  const { raw, inodeSize, blockSize } = ext.superblock;
  if (!(number >= 1 && number <= raw.inodes)) throw damaged(ext, `there is no inode ${number}`);
  const { inodeTable } = await readGroup(ext, Math.floor((number - 1) / raw.inodesPerGroup));
  const offset = inodeTable * blockSize + ((number - 1) % raw.inodesPerGroup) * inodeSize;
  const bytes = await readInside(ext.volume, offset, inodeSize);
  if (!bytes) throw damaged(ext, `inode ${number} lies past the end of the volume`);
  return parseInode(ext, number, bytes);
}

function parseInode(ext: ExtVolume, number: number, bytes: Uint8Array): Inode {
  const base = BASE.read(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const extraSize = bytes.length > 128 ? view.getUint16(EXTRA.size, true) : 0;
  if (extraSize > bytes.length - 128 || extraSize % 4 !== 0) throw damaged(ext, `inode ${number} has ${extraSize} bytes too many`);
  const checksumSeed = chainCrc32c(chainCrc32c(ext.superblock.checksumSeed, le32(number)), le32(base.generation));
  const extra = (at: number) => (128 + extraSize >= at + 4 ? view.getUint32(at, true) : undefined);
  if (ext.superblock.hasMetadataChecksums) {
    const hasHigh = 128 + extraSize >= EXTRA.checksumHigh + 2;
    const stored = base.checksumLow + (hasHigh ? view.getUint16(EXTRA.checksumHigh, true) * 2 ** 16 : 0);
    const right = checksumOf(bytes, checksumSeed, hasHigh);
    if (stored !== (hasHigh ? right : right & 0xffff)) throw damaged(ext, `inode ${number} does not have its checksum`);
  }
  const created = extra(EXTRA.created);
  return {
    number,
    mode: base.mode,
    format: base.mode & 0xf000,
    uid: base.uidHigh * 2 ** 16 + base.uidLow,
    gid: base.gidHigh * 2 ** 16 + base.gidLow,
    links: base.links,
    flags: base.flags,
    size: (BigInt(base.sizeHigh) << 32n) | BigInt(base.sizeLow),
    sectors: base.sectorsHigh * 2 ** 32 + base.sectorsLow,
    generation: base.generation,
    block: base.block,
    attributeBlock: base.attributeBlockHigh * 2 ** 32 + base.attributeBlockLow,
    modified: inodeTime(base.modified, extra(EXTRA.modified)),
    accessed: inodeTime(base.accessed, extra(EXTRA.accessed)),
    changed: inodeTime(base.changed, extra(EXTRA.changed)),
    ...(created !== undefined && { created: inodeTime(created, extra(EXTRA.createdExtra)) }),
    tail: bytes.subarray(128 + extraSize),
    checksumSeed,
  };
}

const inodeTime = (seconds: number, extra: number | undefined): InodeTime => ({
  seconds: seconds | 0,
  ...(extra !== undefined && { extra }),
});

/** Both halves of the checksum count as zero. */
function checksumOf(bytes: Uint8Array, seed: number, hasHigh: boolean): number {
  const blank = bytes.slice();
  blank.fill(0, BASE.offsetOf.checksumLow, BASE.offsetOf.checksumLow + 2);
  if (hasHigh) blank.fill(0, EXTRA.checksumHigh, EXTRA.checksumHigh + 2);
  return chainCrc32c(seed, blank);
}
