import { resolve } from 'node:path';
import { systemErrorCode } from '../../lib/errors.ts';
import { FileMissingError, NotAFileError, openRandomAccess } from '../../lib/random-access-file.ts';
import { DiskParentMissingError, DiskParentWrongError } from '../parent-errors.ts';
import { parentPaths } from '../parent-paths.ts';
import type { ParentLocator } from './parent-locator.ts';
import { readHeader } from './vhdx-image.ts';

/** What was found of a parent. `path`: the right one, else a wrong one, else the place where it was looked for first. */
export interface ParentLookup {
  readonly path: string;
  readonly status: 'found' | 'missing' | 'wrong';
  readonly looked: readonly string[];
  /** Why a file that is there could not be read as the parent. */
  readonly cause?: unknown;
}

/** Looks for the parent of an image: `named` alone when given, else where its locator says. Its identity is verified. */
export async function findParent(childPath: string, locator: ParentLocator, named?: string): Promise<ParentLookup> {
  const looked = named ? [resolve(named)] : parentPaths(resolve(childPath), locator, process.platform);
  let wrong: { readonly path: string; readonly cause?: unknown } | undefined;
  for (const path of looked) {
    const identity = await identityOf(path);
    if (!identity) continue;
    if ('guid' in identity && locator.linkages.includes(identity.guid)) return { path, status: 'found', looked };
    wrong ??= 'cause' in identity ? { path, cause: identity.cause } : { path };
  }
  if (wrong) return { ...wrong, status: 'wrong', looked };
  return { path: looked[0] ?? locator.absolutePath ?? locator.relativePath ?? '', status: 'missing', looked };
}

/** The path of the parent. Missing or wrong: an error of kind `prerequisite`. */
export async function getParent(childPath: string, locator: ParentLocator, named?: string): Promise<string> {
  const { path, status, looked, cause } = await findParent(childPath, locator, named);
  if (status === 'missing') throw new DiskParentMissingError(childPath, looked);
  if (status === 'wrong') throw new DiskParentWrongError(childPath, path, { cause });
  return path;
}

/** A file's data write GUID, or why it cannot be read; `undefined` where no file is. Pipes and devices are no files. */
async function identityOf(path: string): Promise<{ readonly guid: string } | { readonly cause: unknown } | undefined> {
  try {
    await using source = await openRandomAccess(path, 'r');
    return { guid: (await readHeader(path, source)).header.dataWriteGuid };
  } catch (cause) {
    const isAbsent = cause instanceof FileMissingError || cause instanceof NotAFileError || NOT_A_PATH.has(systemErrorCode(cause) ?? '');
    return isAbsent ? undefined : { cause };
  }
}

/** What the operating system says of names that no file can have: an image may name anything. */
const NOT_A_PATH = new Set(['EINVAL', 'ENAMETOOLONG', 'ELOOP', 'ENXIO']);
