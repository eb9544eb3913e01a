import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { systemErrorCode } from '../../lib/errors.ts';
import { HostFolderError } from '../host.ts';
import type { LabContext } from './lab-context.ts';

/** A folder of the simulated host: relative to the lab's own, or absolute within it; links that lead out of it do not count as within. */
export async function reachLabFolder({ name, path: lab }: LabContext, path: string): Promise<string> {
  if (path.includes('\0')) throw new HostFolderError(name, JSON.stringify(path), 'a path holds no NUL');
  const wanted = resolve(lab, path);
  const root = await realpath(lab);
  const real = await realpathOfWhatIsThere(wanted);
  if (!isWithin(resolve(lab), wanted) && !isWithin(root, wanted)) throw new HostFolderError(name, path, `it is not within ${lab}`);
  if (!isWithin(root, real)) throw new HostFolderError(name, path, `it leads out of ${lab}`);
  return wanted;
}

/** The real path of the deepest folder on the way that exists. */
async function realpathOfWhatIsThere(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const parent = dirname(path);
    if (systemErrorCode(error) !== 'ENOENT' || parent === path) throw error;
    return await realpathOfWhatIsThere(parent);
  }
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
