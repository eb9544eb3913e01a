import { open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { flushFolder, retrySharing } from './durable-files.ts';
import { systemErrorCode } from './errors.ts';

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
