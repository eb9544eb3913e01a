import { ascii, safeNumber, struct, u8, u16le, u32le, u64le } from '../../lib/struct.ts';
import type { ClusterHeap } from '../cluster-runs.ts';
import { clusterTableBytes } from '../cluster-table.ts';
import { FileSystemDamagedError } from '../file-system.ts';
import { readInside } from '../probe.ts';
import type { Volume } from '../volume.ts';

/** Main boot sector (exFAT specification 1.00, 3.1). */
const BOOT = struct(512, {
  name: ascii(3, 8),
  sectors: u64le(72),
  fatSector: u32le(80),
  fatSectors: u32le(84),
  heapSector: u32le(88),
  clusterCount: u32le(92),
  rootCluster: u32le(96),
  serial: u32le(100),
  revision: u16le(104),
  flags: u16le(106),
  sectorShift: u8(108),
  clusterShift: u8(109),
  fats: u8(110),
});

/**
 * A region: boot sector, eight extended ones, OEM parameters, a reserved one, then a sector of checksums. The backup follows it at once.
 */
const CHECKED_SECTORS = 11;
const REGION_SECTORS = 12;
/** Flags and the percentage in use change without the checksum (3.4). */
const UNCHECKED = [106, 107, 112] as const;
const SECTOR_SHIFTS = [9, 10, 11, 12] as const;
const MOST_CLUSTER_SHIFT = 25;
const MOST_CLUSTERS = 2 ** 32 - 11;
const SECOND_FAT_ACTIVE = 0x01;

/** Where the parts of an exFAT volume lie. All of them lie within it, except that clusters may be missing at its end. */
export interface ExfatLayout {
  readonly sizeBytes: number;
  readonly heap: ClusterHeap;
  /** Clusters that the volume claims beyond those of the heap: it was cut off. */
  readonly missingClusters: number;
  /** Position of the table that counts: TexFAT has two. */
  readonly tablePosition: number;
  /** 0 or 1: which table and which allocation bitmap count. */
  readonly active: 0 | 1;
  readonly rootCluster: number;
  readonly serial: number;
  /** It was not unmounted cleanly, or its medium met errors (3.1.13). */
  readonly dirty: boolean;
  readonly mediaFailure: boolean;
  /** What is wrong with the boot regions, in a sentence. */
  readonly note?: string;
}

/** Reads the boot region, or the backup where the main one is damaged. Rejects with kind `damaged` when neither describes a volume. */
export async function readBootRegion(volume: Volume): Promise<ExfatLayout> {
  const boot = await readInside(volume, 0, BOOT.size);
  if (!boot) throw damaged('the volume is shorter than a boot sector');
  if (await hasChecksum(volume, boot, 0)) return parseBootSector(boot, volume.sizeBytes);
  for (const shift of SECTOR_SHIFTS) {
    const position = REGION_SECTORS * 2 ** shift;
    const backup = await readInside(volume, position, BOOT.size);
    if (backup?.[BOOT.offsetOf.sectorShift] !== shift || !(await hasChecksum(volume, backup, position))) continue;
    return { ...parseBootSector(backup, volume.sizeBytes), note: 'Its boot region is damaged; the backup of it was used.' };
  }
  return { ...parseBootSector(boot, volume.sizeBytes), note: 'The checksums of its boot region and of the backup are wrong.' };
}

async function hasChecksum(volume: Volume, boot: Uint8Array, position: number): Promise<boolean> {
  const shift = boot[BOOT.offsetOf.sectorShift]!;
  if (!SECTOR_SHIFTS.some((one) => one === shift)) return false;
  const region = await readInside(volume, position, REGION_SECTORS * 2 ** shift);
  if (!region) return false;
  const checked = region.subarray(0, CHECKED_SECTORS * 2 ** shift);
  return new DataView(region.buffer, checked.length).getUint32(0, true) === bootChecksum(checked);
}

/** Over the sectors of a region before the checksums (3.4). */
export function bootChecksum(sectors: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < sectors.length; at++) {
    if (at !== UNCHECKED[0] && at !== UNCHECKED[1] && at !== UNCHECKED[2]) sum = (((sum << 31) | (sum >>> 1)) + sectors[at]!) >>> 0;
  }
  return sum;
}

function parseBootSector(boot: Uint8Array, volumeBytes: number): ExfatLayout {
  const fields = BOOT.read(boot);
  const { fatSector, fatSectors, heapSector, rootCluster, serial, flags, sectorShift, clusterShift, fats } = fields;
  if (fields.name !== 'EXFAT   ') throw damaged('its boot sector does not name it');
  if (sectorShift < 9 || sectorShift > 12 || sectorShift + clusterShift > MOST_CLUSTER_SHIFT)
    throw damaged('sectors or clusters have no valid size');
  if (fats !== 1 && fats !== 2) throw damaged(`${fats} tables`);
  const sectorSize = 2 ** sectorShift;
  const clusterSize = 2 ** (sectorShift + clusterShift);
  const sectors = safeNumber(fields.sectors) ?? Number.MAX_SAFE_INTEGER;
  const active = fats === 2 && flags & SECOND_FAT_ACTIVE ? 1 : 0;
  const tablePosition = (fatSector + active * fatSectors) * sectorSize;
  const position = heapSector * sectorSize;
  const described = fields.clusterCount;
  if (described < 1 || described > MOST_CLUSTERS || position > volumeBytes) throw damaged('there is no room for clusters');
  if (clusterTableBytes(described, 32) > fatSectors * sectorSize) throw damaged('its table has no room for all clusters');
  const clusterCount = Math.min(described, Math.floor((volumeBytes - position) / clusterSize));
  if (tablePosition + clusterTableBytes(clusterCount, 32) > volumeBytes) throw damaged('its table lies past the end');
  return {
    sizeBytes: Math.min(sectors * sectorSize, volumeBytes),
    heap: { position, clusterSize, clusterCount },
    missingClusters: described - clusterCount,
    tablePosition,
    active,
    rootCluster,
    serial,
    dirty: (flags & 0x02) !== 0,
    mediaFailure: (flags & 0x04) !== 0,
  };
}

const damaged = (what: string) => new FileSystemDamagedError('exfat', what);
