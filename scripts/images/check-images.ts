import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convertDisk } from '../../src/core/disk-convert.ts';
import { type DiskInfo, describeDisk } from '../../src/core/disk-info.ts';
import { mapDisk } from '../../src/core/disk-map.ts';
import { diskFormats } from '../../src/disks/registry.ts';
import { MabsError } from '../../src/lib/errors.ts';
import { checkFiles, readHostile } from './check-files.ts';
import { hashFile } from './hash-file.ts';
import { type ImageTruth, plainLabel, readTruth } from './image-truth.ts';
import { unpack } from './unpack.ts';

export interface ImageResult {
  readonly name: string;
  /** What was compared and is as it should be. */
  readonly checked: readonly string[];
  readonly problems: readonly string[];
}

export interface CheckOptions {
  /** Only images whose name has this text. */
  readonly only?: string;
  /** Larger images are left out; of larger disks in small images the content is not compared. */
  readonly maxBytes?: number;
}

/** A hostile image may take this long, the start of it all included. */
const MAX_MS = 5000;

/** Compares every image of a folder with its ground truth, one after the other. */
export async function* checkImages(
  folder: string,
  { only = '', maxBytes = Number.POSITIVE_INFINITY }: CheckOptions = {},
): AsyncGenerator<ImageResult> {
  const truths = await readTruth(folder);
  for (const truth of truths.values()) {
    if (!truth.name.includes(only) || truth.image.size > maxBytes) continue;
    const scratch = await mkdtemp(join(tmpdir(), 'mabs-images-'));
    try {
      const image = await unpackChain(folder, truths, truth, scratch);
      const row = { name: truth.name, checked: [], problems: [] };
      await checkImage(truth, image, join(scratch, 'content.raw'), maxBytes, row);
      yield row;
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
}

type Row = { readonly name: string; readonly checked: string[]; readonly problems: string[] };

/** Unpacks an image and its parents beside it, under the names that the children ask for. */
async function unpackChain(folder: string, truths: ReadonlyMap<string, ImageTruth>, truth: ImageTruth, scratch: string): Promise<string> {
  const image = join(scratch, truth.stored_as ?? truth.name);
  await unpack(join(folder, truth.file), image);
  const parent = truth.parent ? truths.get(truth.parent) : undefined;
  if (parent) await unpackChain(folder, truths, parent, scratch);
  return image;
}

async function checkImage(truth: ImageTruth, image: string, output: string, maxBytes: number, row: Row): Promise<void> {
  const started = performance.now();
  try {
    const info = await describeDisk(diskFormats, image);
    if (truth.expect === 'refuse') {
      await convertDisk(diskFormats, { image, output, format: 'raw', subformat: 'fixed' });
      row.problems.push('was read, and must be refused');
      return;
    }
    checkContainer(truth, info, row);
    if (!truth.fuzz) {
      checkVolumes(truth, info, row);
      await checkFiles(image, truth.filesystems ?? [], row);
    } else row.checked.push(await readHostile(image));
    await checkContent(truth, image, info, output, maxBytes, row);
    if (truth.fuzz && performance.now() - started > MAX_MS) row.problems.push('took too long');
  } catch (error) {
    const mayRefuse = truth.expect === 'refuse' || truth.may_refuse !== undefined || truth.fuzz;
    const typed = error instanceof MabsError && (error.kind === 'damaged' || error.kind === 'prerequisite');
    if (typed && mayRefuse) row.checked.push(`refused (${error.code})`);
    else
      row.problems.push(
        error instanceof MabsError ? `${error.code}: ${error.message}` : String(error instanceof Error ? error.stack : error),
      );
  }
}

function checkContainer({ format, container, raw }: ImageTruth, info: DiskInfo, row: Row): void {
  compare(row, 'format', info.format, format);
  compare(row, 'virtual size', info.virtualSize, raw?.size);
  compare(row, 'type', info.subformat, container?.type);
  compare(row, 'sector size', info.logicalSectorSize, container?.logical_sector_size);
  compare(row, 'block size', info.blockSize, container?.block_size);
  compare(row, 'disk id', info.diskId, container?.disk_id);
}

function checkVolumes({ partitions, filesystems = [] }: ImageTruth, info: DiskInfo, row: Row): void {
  if (partitions?.scheme !== undefined) {
    compare(row, 'partition table', info.partitionTable, partitions.scheme);
    const wanted = (partitions.entries ?? []).map(({ index, start, size, type }) => ({ index, start, size, type }));
    const found = info.partitions.map(({ index, start, size, type }) => ({ index, start, size, type }));
    const sorted = wanted.toSorted((a, b) => a.index - b.index);
    if (partitions.scheme !== 'none') compare(row, 'partitions', JSON.stringify(found), JSON.stringify(sorted));
  }
  for (const { partition, type, label } of filesystems) {
    const volume = info.partitions.find(({ index }) => index === (partition === 0 ? 1 : partition));
    compare(row, `p${partition}`, volume?.fileSystem ?? null, type);
    compare(row, `p${partition} label`, volume?.label ?? null, label === null ? null : plainLabel(label));
  }
}

async function checkContent(truth: ImageTruth, image: string, info: DiskInfo, output: string, maxBytes: number, row: Row): Promise<void> {
  if (truth.raw?.all_zero)
    compare(
      row,
      'all zero',
      (await mapDisk(diskFormats, image)).every(({ kind }) => kind === 'zero'),
      true,
    );
  if (!truth.raw?.sha256 || info.virtualSize > maxBytes) return;
  await convertDisk(diskFormats, { image, output, format: 'raw', subformat: 'fixed' });
  compare(row, 'sha256', await hashFile(output), truth.raw.sha256);
}

function compare(row: Row, what: string, found: unknown, wanted: unknown): void {
  if (wanted === undefined) return;
  if (found === wanted) row.checked.push(what);
  else row.problems.push(`${what} is ${found}, should be ${wanted}`);
}
