import { ascii, bytes, safeNumber, struct, u8, u16be, u32be, u64be } from '../../lib/struct.ts';
import { labelText } from '../probe.ts';
import { hasOwnChecksum } from './xfs-checksum.ts';

/** XFS Algorithms & Data Structures, Superblocks. */
const SUPERBLOCK = struct(264, {
  magic: ascii(0, 4),
  blockSize: u32be(4),
  blocks: u64be(8),
  realtimeBlocks: u64be(16),
  uuid: bytes(32, 16),
  logStart: u64be(48),
  rootInode: u64be(56),
  agBlocks: u32be(84),
  agCount: u32be(88),
  logBlocks: u32be(96),
  version: u16be(100),
  sectorSize: u16be(102),
  inodeSize: u16be(104),
  label: bytes(108, 12),
  agBlockBits: u8(124),
  inProgress: u8(126),
  freeBlocks: u64be(144),
  directoryBlockBits: u8(192),
  features2: u32be(200),
  compatible: u32be(208),
  readOnlyCompatible: u32be(212),
  incompatible: u32be(216),
  logIncompatible: u32be(220),
});
const CHECKSUM_AT = 224;

/** Bits of `version` beside the number in the lowest four, and of `features2`. */
const DIRECTORIES_2 = 0x2000;
const ASCII_CASE = 0x4000;
const MORE_BITS = 0x8000;
const FILE_TYPES_2 = 0x200;

/** Bits of `incompatible`. Those for exchanged ranges and parent pointers change nothing that is read here. */
const FILE_TYPES = 0x1;
const NEEDS_REPAIR = 0x10;
const KNOWN = 0x1 | 0x2 | 0x4 | 0x8 | NEEDS_REPAIR | 0x20 | 0x40 | 0x80;
const FEATURE_NAMES: readonly (readonly [bit: number, name: string])[] = [
  [0x100, 'metadata directory tree'],
  [0x200, 'zoned realtime device'],
];

/** How a file system is laid out, and what it says of itself. Every number is within what XFS allows. */
export interface Superblock {
  readonly version: 4 | 5;
  readonly blockSize: number;
  readonly blocks: number;
  readonly sectorSize: number;
  readonly inodeSize: number;
  readonly agBlocks: number;
  readonly agCount: number;
  /** Bits of a block's number within its group. */
  readonly agBlockBits: number;
  /** Bits of an inode's number within its block. */
  readonly inodeBits: number;
  /** A power of two blocks, at most 64 KiB. */
  readonly directoryBlockSize: number;
  readonly rootInode: number;
  /** 0: the log lies on another device. */
  readonly logStart: number;
  readonly logBlocks: number;
  readonly freeBlocks: number;
  /** Directory entries tell types. */
  readonly hasFileTypes: boolean;
  /** Names are found regardless of case, as far as ASCII goes. */
  readonly ignoresCase: boolean;
  readonly needsRepair: boolean;
  /** Features that this version does not know, in words. */
  readonly unknownFeatures: readonly string[];
  readonly label?: string;
  readonly uuid: string;
}

/**
 * Reads the superblock that `sector` begins with; `undefined` where it is none, or damaged, or of a file system that is being made (a
 * mark that the first one loses in the end, and copies keep).
 */
export function parseSuperblock(sector: Uint8Array, isCopy = false): Superblock | undefined {
  if (sector.length < SUPERBLOCK.size) return undefined;
  const raw = SUPERBLOCK.read(sector);
  const version = raw.version & 0xf;
  if (raw.magic !== 'XFSB' || (raw.inProgress !== 0 && !isCopy) || (version !== 4 && version !== 5)) return undefined;
  const { blockSize, sectorSize, inodeSize, agBlocks, agCount, agBlockBits } = raw;
  const sane =
    isPowerOfTwo(blockSize, 512, 65_536) &&
    isPowerOfTwo(sectorSize, 512, 32_768) &&
    isPowerOfTwo(inodeSize, 256, 2048) &&
    inodeSize <= blockSize &&
    agBlocks > 0 &&
    agBlockBits === Math.ceil(Math.log2(agBlocks)) &&
    blockSize * 2 ** raw.directoryBlockBits <= 65_536;
  if (!sane) return undefined;
  if (version === 5 && (sectorSize > sector.length || !hasOwnChecksum(sector.subarray(0, sectorSize), CHECKSUM_AT))) return undefined;
  const blocks = safeNumber(raw.blocks);
  const rootInode = safeNumber(raw.rootInode);
  const logStart = safeNumber(raw.logStart);
  if (!blocks || !rootInode || logStart === undefined || !Number.isSafeInteger(blocks * blockSize)) return undefined;
  if (blocks > agBlocks * agCount || blocks <= agBlocks * (agCount - 1)) return undefined;
  const label = labelText(raw.label);
  return {
    version,
    blockSize,
    blocks,
    sectorSize,
    inodeSize,
    agBlocks,
    agCount,
    agBlockBits,
    inodeBits: Math.log2(blockSize / inodeSize),
    directoryBlockSize: blockSize * 2 ** raw.directoryBlockBits,
    rootInode,
    logStart,
    logBlocks: raw.logBlocks,
    freeBlocks: Math.min(safeNumber(raw.freeBlocks) ?? 0, blocks),
    hasFileTypes:
      version === 5 ? (raw.incompatible & FILE_TYPES) !== 0 : (raw.version & MORE_BITS) !== 0 && (raw.features2 & FILE_TYPES_2) !== 0,
    ignoresCase: (raw.version & ASCII_CASE) !== 0,
    needsRepair: version === 5 && (raw.incompatible & NEEDS_REPAIR) !== 0,
    unknownFeatures: unknownFeatures(raw.version, version === 5 ? raw.incompatible : 0),
    ...(label !== undefined && { label }),
    uuid: uuidText(raw.uuid),
  };
}

/** Fields that lead to other copies, from one that is damaged; not to be trusted. */
export function copiesOf(sector: Uint8Array): { readonly agBytes: number; readonly agCount: number } {
  const { blockSize, agBlocks, agCount } = SUPERBLOCK.read(sector);
  return { agBytes: blockSize * agBlocks, agCount };
}

function unknownFeatures(version: number, incompatible: number): string[] {
  const found = version & DIRECTORIES_2 ? [] : ['directories of version 1'];
  for (const [bit, name] of FEATURE_NAMES) if (incompatible & bit) found.push(name);
  const others = (incompatible & ~FEATURE_NAMES.reduce((bits, [bit]) => bits | bit, KNOWN)) >>> 0;
  return others === 0 ? found : [...found, `0x${others.toString(16)}`];
}

function uuidText(raw: Uint8Array): string {
  return Buffer.from(raw)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

const isPowerOfTwo = (value: number, least: number, most: number) => value >= least && value <= most && (value & (value - 1)) === 0;
