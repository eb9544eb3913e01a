import { openRandomAccess } from '../../lib/random-access-file.ts';
import type { DiskFormat, DiskImageInfo, DiskSubformat } from '../disk-format.ts';
import { createVhdx } from './create-vhdx.ts';
import { mergeIntoParent } from './merge-vhdx.ts';
import { openForWriting } from './open-for-writing.ts';
import { findParent } from './parent-lookup.ts';
import { checkNamedParent, openImage, openParents } from './vhdx-chain.ts';
import { VhdxDisk } from './vhdx-disk.ts';
import { isVhdx, type VhdxImage } from './vhdx-image.ts';

/** Hyper-V's VHDX and AVHDX, after [MS-VHDX] version 8. */
export const vhdxFormat: DiskFormat = {
  name: 'vhdx',

  async detect(path) {
    await using file = await openRandomAccess(path, 'r');
    return await isVhdx(file);
  },

  async describe(path, options = {}): Promise<DiskImageInfo> {
    await using image = await openImage(path);
    checkNamedParent(image, options.parent);
    const { metadata, patches } = image;
    const parent = metadata.parent && (await findParent(path, metadata.parent, options.parent));
    return {
      format: 'vhdx',
      subformat: subformatOf(image),
      virtualSize: metadata.virtualSize,
      blockSize: metadata.blockSize,
      logicalSectorSize: metadata.logicalSectorSize,
      physicalSectorSize: metadata.physicalSectorSize,
      diskId: metadata.diskId,
      ...(parent ? { parent: { path: parent.path, status: parent.status } } : {}),
      dirtyLog: patches !== undefined,
    };
  },

  async open(path, options = {}) {
    const image = await openImage(path);
    try {
      return new VhdxDisk([image, ...(await openParents(image, options.parent))]);
    } catch (error) {
      await image[Symbol.asyncDispose]();
      throw error;
    }
  },

  openForWriting: (path, options) => openForWriting(path, options),
  create: createVhdx,
  mergeIntoParent,
};

function subformatOf({ metadata }: VhdxImage): DiskSubformat {
  if (metadata.parent) return 'differencing';
  return metadata.leaveBlocksAllocated ? 'fixed' : 'dynamic';
}
