import type { OpenImageOptions } from '../disk-format.ts';
import { getParent, openImage, openParents } from './parent-lookup.ts';
import { VhdMergeError } from './vhd-errors.ts';
import { ownExtents, type VhdImage } from './vhd-image.ts';
import { WritableVhd } from './writable-vhd.ts';

const WINDOW = 1024 * 1024 * 1024;
const PIECE = 1024 * 1024;

/**
 * Writes what a differencing image holds of its own into its parent, durably. The parent keeps its id, so after a crash the image
 * still reads over it as before, and a second merge writes the same bytes again.
 */
export async function mergeIntoParent(path: string, options: OpenImageOptions = {}): Promise<void> {
  await using child = await openImage(path);
  if (child.footer.subformat !== 'differencing') throw new VhdMergeError(path, 'it is no differencing disk');
  const parentPath = await getParent(child, options.parent);
  await using parent = await openForWriting(parentPath);
  if (parent.sizeBytes < child.footer.virtualSize) throw new VhdMergeError(path, `its parent ${parentPath} is smaller than it is`);
  await copyOwn(child, parent);
  await parent.flush();
}

/** Opens an image to be written, its parents for reading. */
export async function openForWriting(path: string, options: OpenImageOptions = {}): Promise<WritableVhd> {
  const image = await openImage(path, 'r+');
  let parents: VhdImage[] = [];
  try {
    parents = await openParents(image, options.parent);
    return new WritableVhd([image, ...parents]);
  } catch (error) {
    await Promise.all([image, ...parents].map((layer) => layer[Symbol.asyncDispose]()));
    throw error;
  }
}

async function copyOwn(child: VhdImage, parent: WritableVhd): Promise<void> {
  const { virtualSize } = child.footer;
  const buffer = new Uint8Array(PIECE);
  for (let offset = 0; offset < virtualSize; offset += WINDOW) {
    for (const extent of await ownExtents(child, { offset, length: Math.min(WINDOW, virtualSize - offset) })) {
      if (extent.from !== 'file') continue;
      for (let done = 0; done < extent.length; done += PIECE) {
        const piece = buffer.subarray(0, Math.min(PIECE, extent.length - done));
        await child.file.read(extent.position + done, piece);
        await parent.write(extent.offset + done, piece);
      }
    }
  }
}
