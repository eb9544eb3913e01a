import { realpath } from 'node:fs/promises';
import { openRandomAccess } from '../../lib/random-access-file.ts';
import { DiskChainError, MAX_CHAIN_LENGTH } from '../parent-errors.ts';
import { getParent } from './parent-lookup.ts';
import { readImage, type VhdxImage } from './vhdx-image.ts';
import { VhdxOptionError } from './vhdx-option-error.ts';

/** Opens one VHDX file, without its parents, for reading. */
export async function openImage(path: string): Promise<VhdxImage> {
  const file = await openRandomAccess(path, 'r');
  try {
    return await readImage(path, file);
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

/** Opens the parents of an image for reading, the nearest first. On failure none is left open; the image itself stays. */
export async function openParents(image: VhdxImage, namedParent?: string): Promise<VhdxImage[]> {
  checkNamedParent(image, namedParent);
  const parents: VhdxImage[] = [];
  const seen = new Set([await realpath(image.path)]);
  try {
    for (let child = image; child.metadata.parent; child = parents.at(-1)!) {
      if (parents.length + 1 >= MAX_CHAIN_LENGTH)
        throw new DiskChainError(image.path, `its chain is longer than ${MAX_CHAIN_LENGTH} images`);
      const path = await getParent(child.path, child.metadata.parent, child === image ? namedParent : undefined);
      const real = await realpath(path);
      if (seen.has(real)) throw new DiskChainError(image.path, `its chain of parents comes back to ${path}`);
      seen.add(real);
      parents.push(await openImage(path));
    }
    return parents;
  } catch (error) {
    await Promise.all(parents.map((parent) => parent[Symbol.asyncDispose]()));
    throw error;
  }
}

/** Whoever names a parent for an image that has none is mistaken about the image. */
export function checkNamedParent({ path, metadata }: VhdxImage, namedParent: string | undefined): void {
  if (namedParent !== undefined && !metadata.parent) throw new VhdxOptionError(path, 'only a differencing disk has a parent');
}
