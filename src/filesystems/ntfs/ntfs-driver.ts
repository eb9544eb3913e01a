import { cachedVolume } from '../cached-volume.ts';
import type { FileContent, FileSystem, FileSystemDriver, FileSystemInfo } from '../file-system.ts';
import { unlessDamaged } from '../unless-damaged.ts';
import type { Volume } from '../volume.ts';
import { ATTRIBUTE } from './attributes.ts';
import { type Geometry, readGeometry } from './boot-sector.ts';
import { freeRanges, openBitmap } from './cluster-bitmap.ts';
import { MasterFileTable } from './master-file-table.ts';
import { findAttribute, loadFile } from './ntfs-file.ts';
import { NtfsFileSystem } from './ntfs-file-system.ts';
import { openAttribute } from './stream-content.ts';
import { UpCase } from './up-case.ts';
import { readVolumeState } from './volume-state.ts';

const UP_CASE_RECORD = 10;
/** A map of clusters up to this size is read to count the free ones: that of 512 MiB in clusters of 4 KiB. */
const MOST_COUNTED_BYTES = 16 * 1024;

export const ntfsDriver: FileSystemDriver = { types: ['ntfs'], open: openNtfs };

async function openNtfs(volume: Volume): Promise<FileSystem> {
  const { geometry, notes } = await readGeometry(volume);
  const { clusterSize } = geometry;
  const table = await MasterFileTable.open({ volume: cachedVolume(volume), clusterSize }, geometry);
  const state = await readVolumeState(table);
  const freeBytes = await countFree(table, geometry);
  const doubts = [...notes, ...table.notes];
  const info: FileSystemInfo = {
    type: 'ntfs',
    ...(state.label !== undefined && { label: state.label }),
    uuid: geometry.serial.toString(16).toUpperCase().padStart(16, '0'),
    sizeBytes: Math.min(geometry.sizeBytes, volume.sizeBytes),
    clusterSize,
    ...(freeBytes !== undefined && { freeBytes }),
    journal: doubts.length > 0 ? 'dirty' : state.journal,
    notes: [...doubts, ...state.notes],
  };
  return new NtfsFileSystem(info, table, { volume, clusterSize }, new UpCase(await unlessDamaged(() => openUpCase(table))));
}

async function openUpCase(table: MasterFileTable): Promise<FileContent | undefined> {
  const file = await loadFile(table, UP_CASE_RECORD);
  const attribute = findAttribute(file, ATTRIBUTE.data);
  return attribute && (await openAttribute(table, file, attribute));
}

async function countFree(table: MasterFileTable, { clusters, clusterSize }: Geometry): Promise<number | undefined> {
  if (clusters / 8 > MOST_COUNTED_BYTES) return undefined;
  return await unlessDamaged(async () => {
    let sum = 0;
    for await (const { length } of freeRanges(await openBitmap(table), clusters, clusterSize)) sum += length;
    return sum;
  });
}
