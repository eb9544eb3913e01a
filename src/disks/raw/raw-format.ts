import { stat } from 'node:fs/promises';
import { MabsError } from '../../lib/errors.ts';
import { createRandomAccess, openRandomAccess } from '../../lib/random-access-file.ts';
import type { CreateImageOptions, DiskFormat, DiskImageInfo } from '../disk-format.ts';
import { RawDisk } from './raw-disk.ts';

export class RawOptionError extends MabsError {
  readonly code = 'MABS-RAW-OPTION';
  readonly hint = 'Choose the format vhdx or vhd for a disk with a parent, with blocks or with an id.';
  override readonly kind = 'usage';
  constructor(path: string, option: string) {
    super(`${path}: a raw image has no ${option}`);
  }
}

/** The bytes of the disk and nothing else: whatever no other format knows. The size need not be whole sectors. */
export const rawFormat: DiskFormat = {
  name: 'raw',

  async detect(path) {
    return (await stat(path)).isFile();
  },

  async describe(path, options = {}): Promise<DiskImageInfo> {
    if (options.parent !== undefined) throw new RawOptionError(path, 'parent');
    await using file = await openRandomAccess(path, 'r');
    return {
      format: 'raw',
      subformat: 'fixed',
      virtualSize: file.sizeBytes,
      blockSize: 0,
      logicalSectorSize: 512,
      physicalSectorSize: 512,
      dirtyLog: false,
    };
  },

  async open(path, options = {}) {
    if (options.parent !== undefined) throw new RawOptionError(path, 'parent');
    return new RawDisk(await openRandomAccess(path, 'r'));
  },

  async openForWriting(path, options = {}) {
    if (options.parent !== undefined) throw new RawOptionError(path, 'parent');
    return new RawDisk(await openRandomAccess(path, 'r+'));
  },

  async create(path, options) {
    checkOptions(path, options);
    return createRandomAccess(path, async (file) => {
      await file.truncate(options.sizeBytes);
      return new RawDisk(file);
    });
  },
};

function checkOptions(path: string, { subformat, parent, blockSize, diskId }: CreateImageOptions): void {
  if (subformat === 'differencing' || parent !== undefined) throw new RawOptionError(path, 'parent');
  if (blockSize !== undefined) throw new RawOptionError(path, 'block size');
  if (diskId !== undefined) throw new RawOptionError(path, 'disk id');
}
