import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { FileMissingError, NotAFileError, openRandomAccess } from '../../lib/random-access-file.ts';
import { DiskChainError, DiskParentMissingError, DiskParentWrongError, MAX_CHAIN_LENGTH } from '../parent-errors.ts';
import { parentCandidates } from './parent-locator.ts';
import { readFooter } from './vhd-footer.ts';
import { readImage, type VhdImage } from './vhd-image.ts';

/** What was found of a parent. `path`: the right one, else a wrong one, else the place where it was looked for first. */
export interface ParentLookup {
  readonly path: string;
  readonly status: 'found' | 'missing' | 'wrong';
  readonly looked: readonly string[];
  /** Why a file that is there could not be read as the parent. */
  readonly cause?: unknown;
}

/**
 * Looks for the parent of a differencing image: `named` alone when given, else where its locators say. Its unique id decides. The
 * time of the parent's last change, which the image keeps as well, does not: it is lost whenever a chain is copied.
 */
export async function findParent(child: VhdImage, named?: string): Promise<ParentLookup> {
  const looked = named === undefined ? await parentCandidates(child, process.platform) : [resolve(named)];
  let wrong: { readonly path: string; readonly cause?: unknown } | undefined;
  for (const path of looked) {
    const identity = await identityOf(path);
    if (!identity) continue;
    if (identity.id !== undefined && identity.id === child.sparse?.header.parentId) return { path, status: 'found', looked };
    wrong ??= { path, cause: identity.cause };
  }
  if (wrong) return { ...wrong, status: 'wrong', looked };
  return { path: looked[0] ?? child.sparse?.header.parentName ?? '', status: 'missing', looked };
}

/** The path of the parent. Missing or wrong: an error of kind `prerequisite`. */
export async function getParent(child: VhdImage, named?: string): Promise<string> {
  const { path, status, looked, cause } = await findParent(child, named);
  if (status === 'missing') throw new DiskParentMissingError(child.path, looked);
  if (status === 'wrong') throw new DiskParentWrongError(child.path, path, { cause });
  return path;
}

/** Opens the parents of an image for reading, the nearest first. On failure none is left open; the image itself stays. */
export async function openParents(image: VhdImage, named?: string): Promise<VhdImage[]> {
  const parents: VhdImage[] = [];
  const seen = new Set([await realpath(image.path)]);
  try {
    for (let child = image; child.footer.subformat === 'differencing'; child = parents.at(-1)!) {
      if (parents.length + 1 >= MAX_CHAIN_LENGTH) {
        throw new DiskChainError(image.path, `its chain is longer than ${MAX_CHAIN_LENGTH} images`);
      }
      const path = await getParent(child, child === image ? named : undefined);
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

/** Opens one VHD file, without its parents. */
export async function openImage(path: string, flags: 'r' | 'r+' = 'r'): Promise<VhdImage> {
  const file = await openRandomAccess(path, flags);
  try {
    return await readImage(file);
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

/** A file's unique id, or why it cannot be read; `undefined` where no file is. */
async function identityOf(path: string): Promise<{ readonly id?: string; readonly cause?: unknown } | undefined> {
  try {
    await using file = await openRandomAccess(path, 'r');
    return { id: (await readFooter(path, file)).uniqueId };
  } catch (cause) {
    return cause instanceof FileMissingError || cause instanceof NotAFileError ? undefined : { cause };
  }
}
