import { bytes, safeNumber, struct, type Unpacked, u8, u16le, u32le } from '../../lib/struct.ts';
import { extVariant } from '../detect-ext.ts';
import { chainCrc32c } from './ext-checksum.ts';
import { COMPAT, INCOMPAT, RO_COMPAT } from './ext-features.ts';

export const SUPERBLOCK_SIZE = 1024;
const MAGIC = 0xef53;

/** Linux, Documentation/filesystems/ext4/super.rst. */
export const SUPERBLOCK = struct(SUPERBLOCK_SIZE, {
  inodes: u32le(0),
  blocksLow: u32le(4),
  freeBlocksLow: u32le(12),
  firstDataBlock: u32le(20),
  logBlockSize: u32le(24),
  logClusterSize: u32le(28),
  blocksPerGroup: u32le(32),
  clustersPerGroup: u32le(36),
  inodesPerGroup: u32le(40),
  magic: u16le(56),
  state: u16le(58),
  revision: u32le(76),
  inodeSize: u16le(88),
  groupNumber: u16le(90),
  compat: u32le(92),
  incompat: u32le(96),
  roCompat: u32le(100),
  uuid: bytes(104, 16),
  label: bytes(120, 16),
  reservedDescriptorBlocks: u16le(206),
  journalInode: u32le(224),
  journalDevice: u32le(228),
  lastOrphan: u32le(232),
  hashSeed: bytes(236, 16),
  descriptorSize: u16le(254),
  firstMetaGroup: u32le(260),
  blocksHigh: u32le(336),
  freeBlocksHigh: u32le(344),
  flags: u32le(352),
  checksumType: u8(373),
  errorCount: u32le(404),
  backupGroups: bytes(588, 8),
  checksumSeed: u32le(624),
  checksum: u32le(1020),
});

const STATE_CLEAN = 1;
const STATE_ERRORS = 2;
const FLAG_UNSIGNED_HASH = 2;
const CRC32C = 1;

/** What a superblock says, checked as far as it can be without looking further. Blocks are numbers of `blockSize` bytes. */
export interface Superblock {
  readonly raw: Unpacked<typeof SUPERBLOCK>;
  /** ext2, ext3 or ext4, by its features. */
  readonly type: string;
  readonly blockSize: number;
  /** Blocks of an allocation unit: 1 without bigalloc. */
  readonly clusterBlocks: number;
  readonly blocks: number;
  readonly groups: number;
  readonly inodeSize: number;
  readonly descriptorSize: number;
  readonly hasFileTypes: boolean;
  readonly hasMetadataChecksums: boolean;
  readonly groupChecksums: 'none' | 'crc16' | 'crc32c';
  /** Where the CRC-32C of everything but the superblock begins. */
  readonly checksumSeed: number;
  readonly hasUnsignedHash: boolean;
  readonly isMarkedClean: boolean;
  readonly hasErrors: boolean;
}

/** The superblock in 1024 bytes, or what is wrong with them, in words. */
export function parseSuperblock(block: Uint8Array): Superblock | string {
  const raw = SUPERBLOCK.read(block);
  if (raw.magic !== MAGIC) return 'there is no superblock';
  const hasMetadataChecksums = (raw.roCompat & RO_COMPAT.metadataChecksum) !== 0;
  if (hasMetadataChecksums && (raw.checksumType !== CRC32C || chainCrc32c(~0, block.subarray(0, 1020)) !== raw.checksum)) {
    return 'the superblock does not have its checksum';
  }
  return geometryProblem(raw) ?? describe(raw, hasMetadataChecksums);
}

type Raw = Unpacked<typeof SUPERBLOCK>;

/** The limits that Linux sets, ext4_fill_super() and what it calls. */
function geometryProblem(raw: Raw): string | undefined {
  if (raw.logBlockSize > 6) return `blocks of 2^${raw.logBlockSize + 10} bytes`;
  const blockSize = 1024 << raw.logBlockSize;
  const blocks = blockCount(raw);
  if (blocks === undefined || blocks * blockSize > Number.MAX_SAFE_INTEGER) return 'more blocks than can be';
  if (raw.firstDataBlock >= blocks || raw.firstDataBlock > 1) return `${blocks} blocks, the first of them ${raw.firstDataBlock}`;
  const inodeSize = inodeSizeOf(raw);
  if (inodeSize < 128 || inodeSize > blockSize || !isPowerOfTwo(inodeSize)) return `inodes of ${inodeSize} bytes`;
  const descriptorSize = descriptorSizeOf(raw);
  if (descriptorSize < 32 || descriptorSize > 1024 || !isPowerOfTwo(descriptorSize)) return `group descriptors of ${descriptorSize} bytes`;
  if (hasBigalloc(raw) && (raw.logClusterSize < raw.logBlockSize || raw.logClusterSize > 20))
    return `clusters of 2^${raw.logClusterSize + 10} bytes`;
  const clustersPerGroup = raw.blocksPerGroup / clusterBlocksOf(raw);
  if (clustersPerGroup < 8 || clustersPerGroup > blockSize * 8 || !Number.isInteger(clustersPerGroup))
    return `${raw.blocksPerGroup} blocks in a group`;
  if (raw.inodesPerGroup < 1 || raw.inodesPerGroup > blockSize * 8) return `${raw.inodesPerGroup} inodes in a group`;
  return undefined;
}

function describe(raw: Raw, hasMetadataChecksums: boolean): Superblock {
  const blocks = blockCount(raw)!;
  const hasSeed = (raw.incompat & INCOMPAT.checksumSeed) !== 0;
  const hasGroupChecksums = (raw.roCompat & RO_COMPAT.groupChecksum) !== 0;
  return {
    raw,
    type: extVariant(raw.compat, raw.incompat, raw.roCompat),
    blockSize: 1024 << raw.logBlockSize,
    clusterBlocks: clusterBlocksOf(raw),
    blocks,
    groups: Math.ceil((blocks - raw.firstDataBlock) / raw.blocksPerGroup),
    inodeSize: inodeSizeOf(raw),
    descriptorSize: descriptorSizeOf(raw),
    hasFileTypes: (raw.incompat & INCOMPAT.filetype) !== 0,
    hasMetadataChecksums,
    groupChecksums: hasMetadataChecksums ? 'crc32c' : hasGroupChecksums ? 'crc16' : 'none',
    checksumSeed: hasSeed ? raw.checksumSeed : chainCrc32c(~0, raw.uuid),
    hasUnsignedHash: (raw.flags & FLAG_UNSIGNED_HASH) !== 0,
    // A journal keeps the volume consistent, so this mark is only taken off where there is none.
    isMarkedClean: (raw.state & STATE_CLEAN) !== 0,
    hasErrors: (raw.state & STATE_ERRORS) !== 0,
  };
}

/** Whether a group keeps a copy of the superblock and the group descriptors. */
export function hasSuperblockCopy({ raw }: Superblock, group: number): boolean {
  if (group === 0) return true;
  if (raw.compat & COMPAT.sparseSuper2) {
    const view = new DataView(raw.backupGroups.buffer, raw.backupGroups.byteOffset, 8);
    return group === view.getUint32(0, true) || group === view.getUint32(4, true);
  }
  if (group === 1 || !(raw.roCompat & RO_COMPAT.sparseSuper)) return true;
  return [3, 5, 7].some((base) => isPowerOf(base, group));
}

function isPowerOf(base: number, value: number): boolean {
  let power = base;
  while (power < value) power *= base;
  return power === value;
}

function blockCount(raw: Raw): number | undefined {
  const high = raw.incompat & INCOMPAT.bits64 ? raw.blocksHigh : 0;
  return safeNumber((BigInt(high) << 32n) | BigInt(raw.blocksLow));
}

const hasBigalloc = (raw: Raw) => (raw.roCompat & RO_COMPAT.bigalloc) !== 0;
const clusterBlocksOf = (raw: Raw) => (hasBigalloc(raw) ? 2 ** (raw.logClusterSize - raw.logBlockSize) : 1);
/** The first revision had no field for it. */
const inodeSizeOf = (raw: Raw) => (raw.revision === 0 ? 128 : raw.inodeSize);
const descriptorSizeOf = (raw: Raw) => (raw.incompat & INCOMPAT.bits64 ? raw.descriptorSize : 32);
const isPowerOfTwo = (value: number) => value > 0 && (value & (value - 1)) === 0;
