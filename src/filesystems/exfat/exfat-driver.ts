import { safeNumber } from '../../lib/struct.ts';
import { cachedVolume } from '../cached-volume.ts';
import { clusterContent } from '../cluster-runs.ts';
import { ClusterTable } from '../cluster-table.ts';
import type { FileContent, FileSystemDriver } from '../file-system.ts';
import { serialText } from '../serial-text.ts';
import { type UpCase, unicodeUpCase } from '../unicode-up-case.ts';
import { unlessDamaged } from '../unless-damaged.ts';
import { bitmapBytes, freeInBitmap } from './allocation-bitmap.ts';
import { readBootRegion } from './boot-region.ts';
import { DirectoryReader, type VolumeEntry } from './directory-reader.ts';
import { ExfatFileSystem } from './exfat-file-system.ts';
import { type ExfatVolume, listSets, readClusters, rootOf } from './exfat-volume.ts';
import { MOST_TABLE_BYTES, parseUpCaseTable, upCaseChecksum } from './up-case-table.ts';

/** How much of the root directory is looked at for what tells of the volume; systems write it first. */
const MOST_ROOT_BYTES = 1024 * 1024;
/** Bitmaps up to this size are counted through when a volume is opened. */
const MOST_COUNTED_BYTES = 512 * 1024;

/** exFAT, with the second table of TexFAT. */
export const exfatDriver: FileSystemDriver = {
  types: ['exfat'],
  async open(volume) {
    const layout = await readBootRegion(volume);
    const cached = cachedVolume(volume);
    const table = new ClusterTable(cached, { system: 'exfat', heap: layout.heap, position: layout.tablePosition, bits: 32 });
    const exfat = { volume: cached, layout, table };
    const notes = layout.note ? [layout.note] : [];
    if (layout.dirty) notes.push('It was not unmounted cleanly: what was being written then may be incomplete.');
    if (layout.mediaFailure) notes.push('Its system met errors when reading or writing it.');
    if (layout.missingClusters > 0)
      notes.push(`The volume was cut off: ${layout.missingClusters} clusters that it tells of are not there.`);
    const entries = await readVolumeEntries(exfat);
    const bitmap = await readBitmap(exfat, entries, notes);
    const upCase = await readUpCase(exfat, entries, notes);
    const freeBytes = bitmap && (await countFree(exfat, bitmap));
    const label = entries.find(({ kind }) => kind === 'label')?.text;
    const info = {
      type: 'exfat',
      ...(label && { label }),
      ...(layout.serial !== 0 && { uuid: serialText(layout.serial) }),
      sizeBytes: layout.sizeBytes,
      clusterSize: layout.heap.clusterSize,
      ...(freeBytes !== undefined && { freeBytes }),
      journal: notes.length > 0 ? ('dirty' as const) : ('none' as const),
      notes,
    };
    return new ExfatFileSystem(exfat, { info, upCase, ...(bitmap && { bitmap }) });
  },
};

/** A damaged root directory tells what stands before the damage; who lists it is told. */
async function readVolumeEntries(exfat: ExfatVolume): Promise<readonly VolumeEntry[]> {
  const reader = new DirectoryReader();
  await unlessDamaged(async () => {
    for await (const _ of listSets(exfat, rootOf(exfat.layout), { reader, mostBytes: MOST_ROOT_BYTES })) {
      const has = (kind: VolumeEntry['kind']) => reader.volumeEntries.some((entry) => entry.kind === kind);
      if (has('up-case') && has('label') && bitmapEntry(exfat, reader.volumeEntries)) return;
    }
  });
  return reader.volumeEntries;
}

/** The allocation bitmap that counts: TexFAT has two. */
const bitmapEntry = ({ layout }: ExfatVolume, entries: readonly VolumeEntry[]) =>
  entries.find(({ kind, second }) => kind === 'bitmap' && second === (layout.active === 1));

async function readBitmap(exfat: ExfatVolume, entries: readonly VolumeEntry[], notes: string[]): Promise<FileContent | undefined> {
  const entry = bitmapEntry(exfat, entries);
  const content = entry && (await readStored(exfat, entry));
  if (content && content.sizeBytes >= bitmapBytes(exfat.layout.heap)) return content;
  notes.push('Its allocation bitmap is missing or damaged: what is free is not known.');
  return undefined;
}

async function readUpCase(exfat: ExfatVolume, entries: readonly VolumeEntry[], notes: string[]): Promise<UpCase> {
  const entry = entries.find(({ kind }) => kind === 'up-case');
  const content = entry && (await readStored(exfat, entry));
  if (entry && content && content.sizeBytes <= MOST_TABLE_BYTES) {
    const table = new Uint8Array(content.sizeBytes);
    await content.read(0, table);
    if (upCaseChecksum(table) === entry.checksum) return parseUpCaseTable(table);
  }
  notes.push('Its table of upper-case characters is missing or damaged: names are compared as Unicode does.');
  return unicodeUpCase;
}

async function readStored(exfat: ExfatVolume, { firstCluster, sizeBytes }: VolumeEntry): Promise<FileContent | undefined> {
  return await unlessDamaged(async () => {
    const size = safeNumber(sizeBytes) ?? Number.MAX_SAFE_INTEGER;
    const runs = await readClusters(exfat, { firstCluster, contiguous: false, allocatedBytes: size });
    return clusterContent(exfat.volume, exfat.layout.heap, { runs, sizeBytes: size });
  });
}

async function countFree({ layout: { heap } }: ExfatVolume, bitmap: FileContent): Promise<number | undefined> {
  if (bitmapBytes(heap) > MOST_COUNTED_BYTES) return undefined;
  let freeBytes = 0;
  for await (const { length } of freeInBitmap(bitmap, heap)) freeBytes += length;
  return freeBytes;
}
