import { openRandomAccess } from '../lib/random-access-file.ts';
import type { DiskFormat, DiskFormatName, DiskFormats } from './disk-format.ts';
import { readPartitionTable } from './partitions/partition-table.ts';
import { rawFormat } from './raw/raw-format.ts';
import { vhdFormat } from './vhd/vhd-format.ts';
import { vhdxFormat } from './vhdx/vhdx-format.ts';

/** Raw fits everything, so it is asked last. */
const formats: readonly DiskFormat[] = [vhdxFormat, vhdFormat, rawFormat];

/** Every disk format that mabs knows. */
export const diskFormats: DiskFormats = {
  get(name: DiskFormatName) {
    return formats.find((format) => format.name === name)!;
  },
  async detect(path) {
    // Whatever keeps the file from being opened is told here, in one way for all formats.
    await using _ = await openRandomAccess(path, 'r');
    for (const format of formats) if (format !== rawFormat && (await format.detect(path))) return format;
    return rawFormat;
  },
  async describe(path, options) {
    return (await this.detect(path)).describe(path, options);
  },
  async open(path, options) {
    return (await this.detect(path)).open(path, options);
  },
  async openForWriting(path, options) {
    return (await this.detect(path)).openForWriting(path, options);
  },
  partitions: readPartitionTable,
};
