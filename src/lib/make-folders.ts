import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { systemErrorCode } from './errors.ts';

/**
 * Makes a folder with all that lead to it, one after the other; answers those that were missing, the outermost first. Node.js' own
 * `recursive` never ends where a folder is there and takes none (`/proc`): the system says ENOENT of both.
 */
export async function makeFolders(path: string, mode = 0o777): Promise<string[]> {
  const missing: string[] = [];
  let at = resolve(path);
  while (!(await isFolder(at))) {
    missing.unshift(at);
    const parent = dirname(at);
    if (parent === at) break;
    at = parent;
  }
  for (const folder of missing) await makeFolder(folder, mode);
  return missing;
}

async function makeFolder(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    // Somebody else made it meanwhile.
    if (systemErrorCode(error) !== 'EEXIST' || !(await isFolder(path))) throw error;
  }
}

/** False also where something else is there: making the folder then says so. */
async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) return false;
    throw error;
  }
}
