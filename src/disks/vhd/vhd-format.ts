import { openRandomAccess } from '../../lib/random-access-file.ts';
import type { DiskFormat, DiskImageInfo } from '../disk-format.ts';
import { createVhd } from './create-vhd.ts';
import { mergeIntoParent, openForWriting } from './merge-vhd.ts';
import { findParent, openImage, openParents } from './parent-lookup.ts';
import { VhdDisk } from './vhd-disk.ts';
import { isVhd } from './vhd-footer.ts';

/** Virtual PC's and Hyper-V's VHD and AVHD, after Microsoft's Virtual Hard Disk Image Format Specification 1.0. */
export const vhdFormat: DiskFormat = {
  name: 'vhd',

  async detect(path) {
    await using file = await openRandomAccess(path, 'r');
    return await isVhd(file);
  },

  async describe(path, options = {}): Promise<DiskImageInfo> {
    await using image = await openImage(path);
    const { footer, sparse } = image;
    const parent = footer.subformat === 'differencing' ? await findParent(image, options.parent) : undefined;
    return {
      format: 'vhd',
      subformat: footer.subformat,
      virtualSize: footer.virtualSize,
      blockSize: sparse?.header.blockSize ?? 0,
      logicalSectorSize: 512,
      physicalSectorSize: 512,
      diskId: footer.uniqueId,
      ...(parent && { parent: { path: parent.path, status: parent.status } }),
      dirtyLog: false,
    };
  },

  async open(path, options = {}) {
    const image = await openImage(path);
    try {
      return new VhdDisk([image, ...(await openParents(image, options.parent))]);
    } catch (error) {
      await image[Symbol.asyncDispose]();
      throw error;
    }
  },

  openForWriting,
  create: createVhd,
  mergeIntoParent,
};
