import { ascii, safeNumber, struct, type Unpacked, u8, u16le, u64le } from '../../lib/struct.ts';
import type { Volume } from '../volume.ts';
import { damaged } from './ntfs-damage.ts';

/** The boot sector (libfsntfs, New Technologies File System, 3.1 Volume header). */
const BOOT_SECTOR = struct(512, {
  systemName: ascii(3, 8),
  sectorSize: u16le(11),
  sectorsPerCluster: u8(13),
  sectors: u64le(40),
  mftCluster: u64le(48),
  mirrorCluster: u64le(56),
  recordClusters: u8(64),
  serial: u64le(72),
});

const MIB = 1024 * 1024;
/** The copy of the boot sector stands in the last sector of the partition, which may be a small or a large one. */
const SECTOR_SIZES = [512, 4096];

/** Where the parts of a volume lie. Bytes and clusters. */
export interface Geometry {
  readonly sectorSize: number;
  readonly clusterSize: number;
  /** Whole clusters of the file system. */
  readonly clusters: number;
  readonly recordSize: number;
  readonly mftOffset: number;
  readonly mirrorOffset: number;
  readonly serial: bigint;
  readonly sizeBytes: number;
}

/** Reads the boot sector, or where it is damaged its copy at the end of the volume. `notes` says so, in sentences. */
export async function readGeometry(volume: Volume): Promise<{ readonly geometry: Geometry; readonly notes: readonly string[] }> {
  const first = parseGeometry(await readSector(volume, 0));
  if (typeof first !== 'string') return { geometry: first, notes: endNotes(first, volume) };
  for (const size of SECTOR_SIZES) {
    const copy = parseGeometry(await readSector(volume, volume.sizeBytes - size));
    if (typeof copy === 'string') continue;
    const note = 'The boot sector is damaged; its copy at the end of the volume was used.';
    return { geometry: copy, notes: [note, ...endNotes(copy, volume)] };
  }
  throw damaged(first);
}

async function readSector(volume: Volume, offset: number): Promise<Uint8Array> {
  const sector = new Uint8Array(BOOT_SECTOR.size);
  if (offset >= 0 && offset + sector.length <= volume.sizeBytes) await volume.read(offset, sector);
  return sector;
}

/** What is wrong with it, in words, when it is none. */
function parseGeometry(bytes: Uint8Array): Geometry | string {
  const boot = BOOT_SECTOR.read(bytes);
  if (boot.systemName !== 'NTFS    ') return 'the boot sector does not name NTFS';
  const { sectorSize } = boot;
  if (!isPowerOfTwo(sectorSize, 256, 4096)) return `the boot sector gives sectors of ${sectorSize} bytes`;
  const clusterSize = sectorSize * (boot.sectorsPerCluster > 0x80 ? 2 ** (256 - boot.sectorsPerCluster) : boot.sectorsPerCluster);
  if (!isPowerOfTwo(clusterSize, 256, 2 * MIB)) return `the boot sector gives clusters of ${clusterSize} bytes`;
  const recordSize = recordSizeOf(boot, clusterSize);
  if (!isPowerOfTwo(recordSize, 512, 65_536)) return `the boot sector gives file records of ${recordSize} bytes`;
  const sizeBytes = (safeNumber(boot.sectors) ?? Number.NaN) * sectorSize;
  const mftOffset = (safeNumber(boot.mftCluster) ?? Number.NaN) * clusterSize;
  if (!Number.isSafeInteger(sizeBytes) || !(mftOffset > 0 && mftOffset < sizeBytes)) {
    return `the boot sector places the master file table at cluster ${boot.mftCluster} of ${boot.sectors} sectors`;
  }
  const mirrorOffset = (safeNumber(boot.mirrorCluster) ?? 0) * clusterSize;
  const clusters = Math.floor(sizeBytes / clusterSize);
  return { sectorSize, clusterSize, clusters, recordSize, mftOffset, mirrorOffset, serial: boot.serial, sizeBytes };
}

/** A positive number counts clusters, a negative one is a power of two. */
function recordSizeOf({ recordClusters }: Unpacked<typeof BOOT_SECTOR>, clusterSize: number): number {
  return recordClusters > 0x7f ? 2 ** (256 - recordClusters) : recordClusters * clusterSize;
}

function isPowerOfTwo(value: number, least: number, most: number): boolean {
  return value >= least && value <= most && (value & (value - 1)) === 0;
}

function endNotes(geometry: Geometry, volume: Volume): string[] {
  return geometry.sizeBytes > volume.sizeBytes ? ['The volume ends before its file system does.'] : [];
}
