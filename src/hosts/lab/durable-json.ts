import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { flushFolder, retrySharing } from '../../lib/durable-files.ts';
import { systemErrorCode } from '../../lib/errors.ts';

/**
 * Replaces a file with `value` as JSON, whole and durably: temporary name, flush, rename, flush of the folder (which Windows does
 * not know). A reader sees the old file or the new one.
 */
export async function replaceJson(path: string, value: unknown): Promise<void> {
  await replaceFile(path, `${JSON.stringify(value, undefined, 2)}\n`);
}

async function replaceFile(path: string, content: string): Promise<void> {
  // One name for all: writers of one file take turns, and what a killed one left is written over.
  const temporary = `${path}.tmp`;
  try {
    const handle = await open(temporary, 'w');
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await retrySharing(() => rename(temporary, path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await flushFolder(dirname(path));
}

/** Reads a file, or `undefined` when there is none. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await retrySharing(() => readFile(path));
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Removes a file durably; none is a success, nor is there one where its folder is gone. */
export async function removeFile(path: string): Promise<void> {
  await retrySharing(() => rm(path, { force: true }));
  try {
    await flushFolder(dirname(path));
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}
