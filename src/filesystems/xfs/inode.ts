import { type FileTime, fileTimeFromUnix } from '../../lib/file-time.ts';
import { bytes, safeNumber, struct, u8, u16be, u32be, u64be } from '../../lib/struct.ts';
import { hasOwnChecksum } from './xfs-checksum.ts';
import { damaged } from './xfs-damage.ts';
import type { XfsVolume } from './xfs-volume.ts';

/** XFS Algorithms & Data Structures, On-disk Inode: what all versions have. */
const CORE = struct(100, {
  magic: u16be(0),
  mode: u16be(2),
  version: u8(4),
  format: u8(5),
  oldLinks: u16be(6),
  uid: u32be(8),
  gid: u32be(12),
  links: u32be(16),
  manyExtents: u64be(24),
  accessed: u64be(32),
  modified: u64be(40),
  changed: u64be(48),
  size: u64be(56),
  extents: u32be(76),
  attributeExtents: u16be(80),
  attributesAt: u8(82),
  attributeFormat: u8(83),
  flags: u16be(90),
});
/** What version 3 adds. */
const CORE3 = struct(176, { flags2: u64be(120), created: u64be(144), inode: u64be(152), uuid: bytes(160, 16) });
const CHECKSUM_AT = 100;

const MAGIC = 0x494e;
const REALTIME = 0x1;
const BIG_TIME = 0x8n;
const LARGE_EXTENT_COUNTS = 0x10n;
/** Where the clock of `bigtime` begins: -2^31 seconds. */
const BIG_TIME_EPOCH = -(1n << 31n);

/** How a fork keeps what belongs to it. */
export type ForkFormat = 'device' | 'local' | 'extents' | 'btree';
const FORMATS: readonly ForkFormat[] = ['device', 'local', 'extents', 'btree'];

/** One of the two parts of an inode that lead to content: `extents` is the number of mappings that it claims. */
export interface Fork {
  readonly format: ForkFormat;
  readonly bytes: Uint8Array;
  readonly extents: number;
}

export interface Inode {
  readonly number: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly size: number;
  readonly accessed: FileTime;
  readonly modified: FileTime;
  readonly changed: FileTime;
  readonly created?: FileTime;
  readonly isRealtime: boolean;
  readonly data: Fork;
  /** Extended attributes; absent where there are none. */
  readonly attributes?: Fork;
}

/** Reads and judges an inode by its number. */
export async function readInode(volume: XfsVolume, number: number): Promise<Inode> {
  const { inodeSize, version } = volume.superblock;
  const bytes = await volume.bytesAt(volume.inodePosition(number), inodeSize);
  const what = `inode ${number}`;
  const core = CORE.read(bytes);
  if (core.magic !== MAGIC || (version === 5 ? core.version !== 3 : core.version < 1 || core.version > 2)) throw damaged(`${what} is none`);
  const core3 = core.version === 3 ? CORE3.read(bytes) : undefined;
  if (core3 && !hasOwnChecksum(bytes, CHECKSUM_AT)) throw damaged(`${what}: wrong checksum`);
  if (core3 && core3.inode !== BigInt(number)) throw damaged(`${what} belongs somewhere else`);
  if (core.mode === 0) throw damaged(`${what} is not in use`);
  const size = safeNumber(core.size);
  if (size === undefined) throw damaged(`${what}: no file is ${core.size} bytes long`);
  const timeOf = core3 && core3.flags2 & BIG_TIME ? bigTime : unixTime;
  const { data, attributes } = forksOf(bytes, core, core3?.flags2 ?? 0n, what);
  return {
    number,
    mode: core.mode,
    uid: core.uid,
    gid: core.gid,
    links: core.version === 1 ? core.oldLinks : core.links,
    size,
    accessed: timeOf(core.accessed),
    modified: timeOf(core.modified),
    changed: timeOf(core.changed),
    ...(core3 && { created: timeOf(core3.created) }),
    isRealtime: (core.flags & REALTIME) !== 0,
    data,
    ...(attributes && { attributes }),
  };
}

/** The rest of the inode: data from its start, attributes from `attributesAt` eight-byte units on. */
function forksOf(bytes: Uint8Array, core: ReturnType<typeof CORE.read>, flags2: bigint, what: string): { data: Fork; attributes?: Fork } {
  const room = bytes.subarray(core.version === 3 ? CORE3.size : CORE.size);
  const attributesAt = core.attributesAt * 8;
  if (attributesAt > 0 && attributesAt >= room.length) throw damaged(`${what}: its attributes begin outside`);
  const many = (flags2 & LARGE_EXTENT_COUNTS) !== 0n;
  const extents = many ? (safeNumber(core.manyExtents) ?? Number.MAX_SAFE_INTEGER) : core.extents;
  const data = { format: formatOf(core.format, what), bytes: attributesAt ? room.subarray(0, attributesAt) : room, extents };
  if (attributesAt === 0) return { data };
  const attributeExtents = many ? core.extents : core.attributeExtents;
  return {
    data,
    attributes: { format: formatOf(core.attributeFormat, what), bytes: room.subarray(attributesAt), extents: attributeExtents },
  };
}

function formatOf(code: number, what: string): ForkFormat {
  const format = FORMATS[code];
  if (!format) throw damaged(`${what}: unknown format ${code}`);
  return format;
}

/** Seconds since 1970 with a sign, and nanoseconds. */
function unixTime(raw: bigint): FileTime {
  return fileTimeFromUnix(BigInt.asIntN(32, raw >> 32n), Number(raw & 0xffff_ffffn));
}

/** Nanoseconds since 1901 (`bigtime`). */
function bigTime(raw: bigint): FileTime {
  return fileTimeFromUnix(BIG_TIME_EPOCH) + raw;
}
