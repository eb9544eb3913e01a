import { cachedVolume } from '../cached-volume.ts';
import { ClusterTable, clusterTableBytes } from '../cluster-table.ts';
import { FileSystemDamagedError, type FileSystemDriver, type FileSystemInfo } from '../file-system.ts';
import { readInside } from '../probe.ts';
import { serialText } from '../serial-text.ts';
import { unlessDamaged } from '../unless-damaged.ts';
import { parseBootSector, parseFreeClusters } from './boot-sector.ts';
import { DirectoryReader } from './directory-entry.ts';
import { FatFileSystem } from './fat-file-system.ts';
import { type FatVolume, listEntries, rootOf } from './list-entries.ts';
import { labelOfField } from './short-name.ts';

const BOOT_BYTES = 512;
/** Tables up to this size are counted through when a volume is opened. */
const MOST_COUNTED_BYTES = 1024 * 1024;

/** FAT12, FAT16 and FAT32. */
export const fatDriver: FileSystemDriver = {
  types: ['vfat'],
  async open(volume) {
    const boot = await readInside(volume, 0, BOOT_BYTES);
    if (!boot) throw new FileSystemDamagedError('vfat', 'the volume is shorter than a boot sector');
    const layout = parseBootSector(boot, volume.sizeBytes);
    const cached = cachedVolume(volume);
    const table = new ClusterTable(cached, { system: 'vfat', heap: layout.heap, position: layout.tablePosition, bits: layout.bits });
    const fat = { volume: cached, layout, table };
    return new FatFileSystem(fat, await describe(fat));
  },
};

async function describe(fat: FatVolume): Promise<FileSystemInfo> {
  const { layout } = fat;
  const label = await readLabel(fat);
  const { freeBytes, notes } = await readFree(fat);
  const marks = await readMarks(fat);
  if (layout.missingClusters > 0) notes.push(`The volume was cut off: ${layout.missingClusters} clusters that it tells of are not there.`);
  return {
    type: 'vfat',
    ...(label && { label }),
    ...(layout.serial !== 0 && { uuid: serialText(layout.serial) }),
    sizeBytes: layout.sizeBytes,
    clusterSize: layout.heap.clusterSize,
    ...(freeBytes !== undefined && { freeBytes }),
    journal: marks.length > 0 || layout.missingClusters > 0 ? 'dirty' : 'none',
    notes: [...marks, ...notes],
  };
}

/** The label is an entry of the root directory; the copy in the boot sector is not kept up to date. */
async function readLabel(fat: FatVolume): Promise<string | undefined> {
  const reader = new DirectoryReader();
  // Who lists the root is told of damage.
  await unlessDamaged(async () => {
    for await (const _ of listEntries(fat, rootOf(fat.layout), reader)) if (reader.label) return;
  });
  return reader.label && labelOfField(reader.label);
}

/** A small table is counted through; for a large one FAT32's own count must do, which systems keep as a hint. */
async function readFree({ volume, layout, table }: FatVolume): Promise<{ freeBytes?: number; notes: string[] }> {
  const { heap, bits, infoPosition } = layout;
  const info = infoPosition === undefined ? undefined : await readInside(volume, infoPosition, BOOT_BYTES);
  const kept = info && parseFreeClusters(info, layout);
  if (clusterTableBytes(heap.clusterCount, bits) > MOST_COUNTED_BYTES) {
    return { ...(kept !== undefined && { freeBytes: kept * heap.clusterSize }), notes: [] };
  }
  let freeBytes = 0;
  for await (const { length } of table.free()) freeBytes += length;
  const differs = kept !== undefined && kept * heap.clusterSize !== freeBytes;
  return { freeBytes, notes: differs ? [`Its count of free clusters says ${kept}, its table ${freeBytes / heap.clusterSize}.`] : [] };
}

/** Marks of a volume in need of a check, in its boot sector and in the second entry of its table (FAT16 and FAT32), a sentence each. */
async function readMarks({ layout, table }: FatVolume): Promise<string[]> {
  const { bits, state } = layout;
  const entry = bits === 12 ? undefined : await table.entry(1);
  const isClear = (bit: number) => entry !== undefined && (entry & (1 << (bits - bit))) === 0;
  const marks: string[] = [];
  if (state & 1 || isClear(1)) marks.push('It was not unmounted cleanly: what was being written then may be incomplete.');
  if (state & 2 || isClear(2)) marks.push('Its system met errors when reading or writing it.');
  return marks;
}
