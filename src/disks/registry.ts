import { extname } from 'node:path';
import { MabsError } from '../lib/errors.ts';
import { openRandomAccess } from '../lib/random-access-file.ts';
import type { DiskFormat, DiskFormatName, DiskFormats } from './disk-format.ts';
import { readLogicalVolumes } from './lvm/logical-volumes.ts';
import { partitionProblems } from './partitions/partition-problems.ts';
import { readPartitionTable } from './partitions/partition-table.ts';
import { rawFormat } from './raw/raw-format.ts';
import { vhdFormat } from './vhd/vhd-format.ts';
import { vhdxFormat } from './vhdx/vhdx-format.ts';

/** Raw fits everything, so it is asked last. */
const formats: readonly DiskFormat[] = [vhdxFormat, vhdFormat, rawFormat];

/** What a file's name says that it is; names other than these say nothing. */
function formatByName(path: string): DiskFormat | undefined {
  const extension = extname(path).toLowerCase();
  if (extension === '.raw') return rawFormat;
  if (extension === '.vhdx' || extension === '.avhdx') return vhdxFormat;
  return extension === '.vhd' || extension === '.avhd' ? vhdFormat : undefined;
}

/** Whole by itself: such an image has no parent, and holds its disk as it is. */
async function isFixedVhd(path: string): Promise<boolean> {
  try {
    return (await vhdFormat.detect(path)) && (await vhdFormat.describe(path)).subformat === 'fixed';
  } catch (error) {
    if (error instanceof MabsError && error.kind === 'damaged') return false;
    throw error;
  }
}

/** Every disk format that mabs knows. */
export const diskFormats: DiskFormats = {
  get(name: DiskFormatName) {
    return formats.find((format) => format.name === name)!;
  },
  async detect(path, { byHand = false } = {}) {
    // Whatever keeps the file from being opened is told here, in one way for all formats.
    await using _ = await openRandomAccess(path, 'r');
    const named = formatByName(path);
    // All of a raw disk's bytes are its guest's, who could make it look like an image with a parent anywhere on the host.
    if (named === rawFormat) return byHand && (await isFixedVhd(path)) ? vhdFormat : rawFormat;
    for (const format of formats) if (format !== rawFormat && (await format.detect(path))) return format;
    // An image that lost its signature is damaged, and no raw disk.
    return named ?? rawFormat;
  },
  async describe(path, options) {
    return (await this.detect(path, options)).describe(path, options);
  },
  async open(path, options) {
    return (await this.detect(path, options)).open(path, options);
  },
  async openForWriting(path, options) {
    return (await this.detect(path)).openForWriting(path, options);
  },
  partitions: readPartitionTable,
  partitionProblems,
  logicalVolumes: readLogicalVolumes,
};
