import { open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemErrorCode } from './errors.ts';

const windows = process.platform === 'win32';
const RETRY_MS = [5, 10, 20, 50, 100, 200, 400, 800];

/**
 * Replaces a file whole: readers see the old content or the new, and after a power cut it is one of the two. Durable when this
 * resolves. `unique` tells the temporary file of this writer from those of others. The folder must exist; the file is readable by its owner only.
 */
export async function replaceFile(path: string, content: string, unique: string): Promise<void> {
  const temporary = `${path}.${unique}.tmp`;
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await retrySharing(() => rename(temporary, path));
  } catch (error) {
    // What is left of it is only in the way; the error that matters is the first.
    await unlink(temporary).catch(() => {});
    throw error;
  }
  await flushFolder(dirname(path));
}

/** Removes a file for good; none there is a success. */
export async function removeFileDurably(path: string): Promise<void> {
  try {
    await retrySharing(() => unlink(path));
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
  await flushFolder(dirname(path));
}

/** On Windows another program's handle (a virus scanner's, say) forbids a change for a moment: tried again for about 1.5 s. */
export async function retrySharing<T>(change: () => Promise<T>): Promise<T> {
  for (const wait of windows ? RETRY_MS : []) {
    try {
      return await change();
    } catch (error) {
      if (!['EPERM', 'EBUSY', 'EACCES'].includes(systemErrorCode(error) ?? '')) throw error;
    }
    await sleep(wait);
  }
  return change();
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
