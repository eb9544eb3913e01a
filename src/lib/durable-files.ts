import { link, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemErrorCode } from './errors.ts';
import { makeFolders } from './make-folders.ts';

const windows = process.platform === 'win32';

/** What Windows answers while another program's handle forbids a change. */
const SHARING = ['EPERM', 'EBUSY', 'EACCES'];

/** Waits between tries of an operation that another program's handle forbids, as virus scanners do for a moment. */
const RETRY_MS = [5, 10, 20, 50, 100, 200, 400, 800];

/** Runs a change of a folder; on Windows a sharing violation is tried again for about 1.5 seconds. */
export async function retrySharing<T>(change: () => Promise<T>): Promise<T> {
  for (const wait of windows ? RETRY_MS : []) {
    try {
      return await change();
    } catch (error) {
      if (!SHARING.includes(systemErrorCode(error) ?? '')) throw error;
    }
    await sleep(wait);
  }
  return await change();
}

/** Makes the entries of a folder durable. Windows has no such call: there the file system's journal keeps their order. */
export async function flushFolder(path: string): Promise<void> {
  if (windows) return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some network and user-space file systems cannot flush a folder, and say so.
    if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(systemErrorCode(error) ?? '')) throw error;
  } finally {
    await handle.close();
  }
}

/** Makes a folder with all that lead to it; each new one is durable when this resolves. */
export async function makeFolderDurably(path: string): Promise<void> {
  for (const made of await makeFolders(path)) await flushFolder(dirname(made));
}

/**
 * Gives a flushed file its final name in the same folder, never replacing one that is there (EEXIST), and makes that durable. A
 * hard link is exclusive everywhere it exists; where it does not, a look before the rename is, since one process at a time writes a name.
 */
export async function renameExclusively(from: string, to: string): Promise<void> {
  if (await linked(from, to)) await removeFormerName(from);
  else {
    if (await isThere(to)) throw Object.assign(new Error(`EEXIST: ${to}`), { code: 'EEXIST', errno: -17 });
    await retrySharing(() => rename(from, to));
  }
  await flushFolder(dirname(to));
}

/** Links a file under a second name; false where the file system knows no hard links. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await retrySharing(() => link(from, to));
    return true;
  } catch (error) {
    const unsupported = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV', 'EINVAL', 'UNKNOWN', 'EISDIR'];
    if (!unsupported.includes(systemErrorCode(error) ?? '')) throw error;
    return false;
  }
}

/** The file has its final name by now: a former one that somebody keeps open stays for whoever removes what is left over. */
async function removeFormerName(path: string): Promise<void> {
  try {
    await retrySharing(() => unlink(path));
  } catch (error) {
    if (!SHARING.includes(systemErrorCode(error) ?? '')) throw error;
  }
}

/** Whether something is there. Where that cannot be told (no right to look, a failing volume) it throws. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
}
