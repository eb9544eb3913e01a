import { ascii, struct, u8, u16le, u32le } from '../../lib/struct.ts';
import type { ClusterHeap } from '../cluster-runs.ts';
import { FileSystemDamagedError } from '../file-system.ts';

/** BIOS parameter block of the boot sector (Microsoft FAT specification 1.03, "Boot Sector and BPB"). */
const BOOT = struct(512, {
  sectorSize: u16le(11),
  sectorsPerCluster: u8(13),
  reserved: u16le(14),
  fats: u8(16),
  rootEntries: u16le(17),
  sectors16: u16le(19),
  sectorsPerFat16: u16le(22),
  sectors32: u32le(32),
});

/** What follows it in FAT12 and FAT16, and in FAT32 after fields of its own. */
const TAIL_16 = struct(512, { state: u8(37), serial: u32le(39) });
const TAIL_32 = struct(512, {
  sectorsPerFat: u32le(36),
  flags: u16le(40),
  rootCluster: u32le(44),
  infoSector: u16le(48),
  state: u8(65),
  serial: u32le(67),
});

/** The sector of FAT32 that counts free clusters. */
const INFO = struct(512, { lead: ascii(0, 4), signature: ascii(484, 4), freeClusters: u32le(488) });

/** By their count of clusters, as Linux tells the types apart. */
const MOST_CLUSTERS = { 12: 0xff4, 16: 0xfff4, 28: 0xfff_fff5 } as const;
const MIRRORING_OFF = 0x80;
const ACTIVE_FAT = 0x0f;

/** Where the parts of a FAT volume lie. All of them lie within it, except that clusters may be missing at its end. */
export interface FatLayout {
  readonly bits: 12 | 16 | 28;
  readonly sizeBytes: number;
  readonly heap: ClusterHeap;
  /** Clusters that the volume claims beyond those of the heap: it was cut off. */
  readonly missingClusters: number;
  /** Position of the table that counts. */
  readonly tablePosition: number;
  /** FAT32 keeps its root directory in clusters, the others at a fixed place. */
  readonly root: { readonly cluster: number } | { readonly position: number; readonly sizeBytes: number };
  /** FAT32: position of the sector with the count of free clusters. */
  readonly infoPosition?: number;
  readonly serial: number;
  /** Flags that Windows and Linux keep in the boot sector: 1, not unmounted; 2, errors were met. */
  readonly state: number;
}

/** Reads the boot sector, its first 512 bytes. Throws a FileSystemDamagedError where it describes no FAT volume. */
export function parseBootSector(boot: Uint8Array, volumeBytes: number): FatLayout {
  const { sectorSize, sectorsPerCluster, reserved, fats, rootEntries, sectors16, sectorsPerFat16, sectors32 } = BOOT.read(boot);
  if (!isPowerOfTwo(sectorSize) || sectorSize < 512 || sectorSize > 4096) throw damaged(`a sector size of ${sectorSize}`);
  if (!isPowerOfTwo(sectorsPerCluster)) throw damaged(`${sectorsPerCluster} sectors a cluster`);
  if (reserved === 0 || fats === 0) throw damaged('no reserved sector or no table');
  const tail32 = TAIL_32.read(boot);
  const isFat32 = sectorsPerFat16 === 0;
  const fatBytes = (sectorsPerFat16 || tail32.sectorsPerFat) * sectorSize;
  const rootPosition = reserved * sectorSize + fats * fatBytes;
  const rootBytes = rootEntries * 32;
  const position = rootPosition + Math.ceil(rootBytes / sectorSize) * sectorSize;
  const sectors = sectors16 || sectors32;
  const clusterSize = sectorSize * sectorsPerCluster;
  const described = Math.floor((sectors * sectorSize - position) / clusterSize);
  const bits = isFat32 ? 28 : described > MOST_CLUSTERS[12] ? 16 : 12;
  if (described < 1 || position > volumeBytes) throw damaged('no room for clusters');
  if (described > MOST_CLUSTERS[bits]) throw damaged(`${described} clusters, more than its type can have`);
  const clusterCount = mostClusters(described, { bits, fatBytes, room: Math.floor((volumeBytes - position) / clusterSize) });
  const active = isFat32 && tail32.flags & MIRRORING_OFF ? tail32.flags & ACTIVE_FAT : 0;
  const { state, serial } = isFat32 ? tail32 : TAIL_16.read(boot);
  return {
    bits,
    sizeBytes: Math.min(sectors * sectorSize, volumeBytes),
    heap: { position, clusterSize, clusterCount },
    missingClusters: described - clusterCount,
    tablePosition: reserved * sectorSize + Math.min(active, fats - 1) * fatBytes,
    root: isFat32 ? { cluster: tail32.rootCluster } : { position: rootPosition, sizeBytes: rootBytes },
    ...(isFat32 && isInside(tail32.infoSector, reserved) && { infoPosition: tail32.infoSector * sectorSize }),
    serial,
    state,
  };
}

/** The count of free clusters in FAT32's sector for it; `undefined` where it has none that can be. */
export function parseFreeClusters(sector: Uint8Array, { heap }: FatLayout): number | undefined {
  const { lead, signature, freeClusters } = INFO.read(sector);
  return lead === 'RRaA' && signature === 'rrAa' && freeClusters <= heap.clusterCount ? freeClusters : undefined;
}

/** Clusters that have an entry in the table and a place on the volume. */
function mostClusters(described: number, { bits, fatBytes, room }: { bits: FatLayout['bits']; fatBytes: number; room: number }): number {
  const entries = Math.floor((fatBytes * 8) / (bits === 28 ? 32 : bits)) - 2;
  return Math.max(0, Math.min(described, room, entries));
}

const isPowerOfTwo = (value: number) => value > 0 && (value & (value - 1)) === 0;
const isInside = (sector: number, reserved: number) => sector > 0 && sector < reserved;
const damaged = (what: string) => new FileSystemDamagedError('vfat', `the boot sector tells of ${what}`);
