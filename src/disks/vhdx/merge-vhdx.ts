import { MabsError } from '../../lib/errors.ts';
import { isZero } from '../../lib/zeros.ts';
import type { OpenImageOptions } from '../disk-format.ts';
import { DiskParentMissingError } from '../parent-errors.ts';
import { openForWriting } from './open-for-writing.ts';
import { findParent, getParent } from './parent-lookup.ts';
import { openImage } from './vhdx-chain.ts';
import { type OwnExtent, ownExtents, type VhdxImage } from './vhdx-image.ts';
import { MIB } from './vhdx-units.ts';
import type { WritableVhdx } from './writable-vhdx.ts';

/** Virtual bytes whose extents are asked for at once, and bytes copied at once. */
const WINDOW = 1024 * MIB;
const PIECE = MIB;

/** The image cannot be merged into that parent as they are. */
export class VhdxMergeError extends MabsError {
  readonly code = 'MABS-VHDX-MERGE';
  readonly hint = 'Only a differencing VHDX can be merged, into a parent of at least its own virtual size.';
  override readonly kind = 'usage';
  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`);
  }
}

/**
 * Writes what a differencing image holds of its own into its parent, which then reads as the image did. The parent keeps its
 * identity until all is written and durable: after a crash the image can still be opened over it, and a second merge writes
 * the same bytes again. `resume` merges also into a parent that has its new identity already.
 */
export async function mergeIntoParent(path: string, options: OpenImageOptions & { readonly resume?: boolean } = {}): Promise<void> {
  await using child = await openImage(path);
  const parentPath = await parentOf(child, options);
  await using parent = await openForWriting(parentPath, {}, { keepsIdentity: true });
  if (parent.sizeBytes < child.metadata.virtualSize) throw new VhdxMergeError(path, `its parent ${parentPath} is smaller than it is`);
  await copyOwn(child, parent);
  await parent.changeIdentity();
}

async function parentOf(child: VhdxImage, { parent, resume }: OpenImageOptions & { readonly resume?: boolean }): Promise<string> {
  const locator = child.metadata.parent;
  if (!locator) throw new VhdxMergeError(child.path, 'it is no differencing disk');
  if (!resume) return getParent(child.path, locator, parent);
  const found = await findParent(child.path, locator, parent);
  if (found.status === 'missing') throw new DiskParentMissingError(child.path, found.looked);
  return found.path;
}

async function* allOwnExtents(image: VhdxImage): AsyncGenerator<OwnExtent> {
  const { virtualSize } = image.metadata;
  for (let offset = 0; offset < virtualSize; offset += WINDOW) {
    yield* await ownExtents(image, { offset, length: Math.min(WINDOW, virtualSize - offset) });
  }
}

async function copyOwn(child: VhdxImage, parent: WritableVhdx): Promise<void> {
  const buffer = new Uint8Array(PIECE);
  for await (const extent of allOwnExtents(child)) {
    if (extent.from === 'zero') await parent.writeZeros(extent);
    if (extent.from !== 'file') continue;
    for (let done = 0; done < extent.length; done += PIECE) {
      const piece = buffer.subarray(0, Math.min(PIECE, extent.length - done));
      await child.source.read(extent.position + done, piece);
      const at = extent.offset + done;
      if (isZero(piece)) await parent.writeZeros({ offset: at, length: piece.length });
      else await parent.write(at, piece);
    }
  }
}
