import { struct, u8, u16le, u32le, u64le } from '../lib/struct.ts';
import { hasText, readChain, readInside, wideLabelText, withLabel } from './probe.ts';
import type { FileSystemSignature, Volume } from './volume.ts';

/** The boot sectors of NTFS and exFAT. */
const NTFS_BOOT = struct(512, {
  sectorSize: u16le(11),
  sectorsPerCluster: u8(13),
  sectors: u64le(40),
  mftCluster: u64le(48),
  recordClusters: u8(64),
});
const EXFAT_BOOT = struct(512, {
  sectors: u64le(72),
  fatSector: u32le(80),
  clusterHeapSector: u32le(88),
  rootCluster: u32le(96),
  sectorShift: u8(108),
  clusterShift: u8(109),
});

/** Microsoft's systems that name themselves in the boot sector: NTFS, exFAT, ReFS. */
export async function detectNtfs(volume: Volume): Promise<FileSystemSignature | undefined> {
  const boot = await readInside(volume, 0, 512);
  if (!boot) return undefined;
  if (hasText(boot, 3, 'NTFS    ')) return withLabel('ntfs', await ntfsLabel(volume, boot));
  if (hasText(boot, 3, 'EXFAT   ')) return withLabel('exfat', await exfatLabel(volume, boot));
  if (hasText(boot, 3, 'ReFS\0\0\0\0')) return { name: 'refs' };
  return undefined;
}

/**
 * A volume of NTFS whose boot sector is damaged still has the copy in its last sector. Looked for when nothing else is known of the
 * volume: what was NTFS before may have kept it. The size in it must be that of the volume, or the copy is another one's.
 */
export async function detectNtfsCopy(volume: Volume): Promise<FileSystemSignature | undefined> {
  for (const size of [512, 4096]) {
    const copy = await readInside(volume, volume.sizeBytes - size, 512);
    if (!copy || !hasText(copy, 3, 'NTFS    ')) continue;
    const { sectorSize, sectors } = NTFS_BOOT.read(copy);
    if (sectorSize === size && sectors * BigInt(size) === BigInt(volume.sizeBytes - size))
      return withLabel('ntfs', await ntfsLabel(volume, copy));
  }
  return undefined;
}

/** Likewise of exFAT, whose copy of the boot region begins at sector 12 (exFAT specification 1.00, 3.1). */
export async function detectExfatCopy(volume: Volume): Promise<FileSystemSignature | undefined> {
  for (const shift of [9, 10, 11, 12]) {
    const copy = await readInside(volume, 12 * 2 ** shift, 512);
    if (!copy || !hasText(copy, 3, 'EXFAT   ')) continue;
    const { sectors, sectorShift } = EXFAT_BOOT.read(copy);
    const fits = sectorShift === shift && sectors << BigInt(shift) <= BigInt(volume.sizeBytes);
    if (fits) return withLabel('exfat', await exfatLabel(volume, copy));
  }
  return undefined;
}

/** The label is attribute 60h of $Volume, record 3 of the master file table; it is always resident. */
async function ntfsLabel(volume: Volume, boot: Uint8Array): Promise<string | undefined> {
  const { sectorSize, sectorsPerCluster, mftCluster, recordClusters } = NTFS_BOOT.read(boot);
  const clusterSize = sectorSize * (sectorsPerCluster > 0x80 ? 2 ** (256 - sectorsPerCluster) : sectorsPerCluster);
  const recordSize = recordClusters > 0x7f ? 2 ** (256 - recordClusters) : recordClusters * clusterSize;
  if (recordSize < 256 || recordSize > 65_536) return undefined;
  const record = await readInside(volume, Number(mftCluster) * clusterSize + 3 * recordSize, recordSize);
  if (!record || !hasText(record, 0, 'FILE')) return undefined;
  undoFixups(record);
  const view = new DataView(record.buffer);
  for (let at = view.getUint16(20, true); at + 24 <= recordSize; ) {
    const type = view.getUint32(at, true);
    const length = view.getUint32(at + 4, true);
    if (type === 0x60) {
      const from = at + view.getUint16(at + 20, true);
      return wideLabelText(record.subarray(from, Math.min(from + view.getUint32(at + 16, true), recordSize)));
    }
    if (type === 0xffffffff || length < 24) return undefined;
    at += length;
  }
  return undefined;
}

/** The last two bytes of each sector of a record stand in its update sequence array. */
function undoFixups(record: Uint8Array): void {
  const view = new DataView(record.buffer);
  const array = view.getUint16(4, true);
  const count = view.getUint16(6, true);
  for (let sector = 1; sector < count; sector++) {
    const from = array + sector * 2;
    const to = sector * 512 - 2;
    if (from + 2 > record.length || to + 2 > record.length) return;
    record.copyWithin(to, from, from + 2);
  }
}

/** The label is entry 83h of the root directory: a count of characters, then up to eleven of them. */
async function exfatLabel(volume: Volume, boot: Uint8Array): Promise<string | undefined> {
  const { fatSector, clusterHeapSector, rootCluster, sectorShift, clusterShift } = EXFAT_BOOT.read(boot);
  if (sectorShift < 9 || sectorShift > 12 || sectorShift + clusterShift > 25 || rootCluster < 2) return undefined;
  const clusterSize = 2 ** (sectorShift + clusterShift);
  const root = await readChain(volume, {
    first: rootCluster,
    clusterSize,
    positionOf: (cluster) => clusterHeapSector * 2 ** sectorShift + (cluster - 2) * clusterSize,
    next: (cluster) => fatSector * 2 ** sectorShift + cluster * 4,
  });
  if (!root) return undefined;
  for (let entry = 0; entry + 32 <= root.length && root[entry] !== 0; entry += 32) {
    if (root[entry] === 0x83) return wideLabelText(root.subarray(entry + 2, entry + 2 + Math.min(root[entry + 1]!, 11) * 2));
  }
  return undefined;
}
