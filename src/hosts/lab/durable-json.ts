import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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
    await withRetries(() => rename(temporary, path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await flushFolder(dirname(path));
}

/** Reads a file, or `undefined` when there is none. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await withRetries(() => readFile(path));
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Removes a file durably; none is a success. */
export async function removeFile(path: string): Promise<void> {
  await withRetries(() => rm(path, { force: true }));
  await flushFolder(dirname(path));
}

/** Makes the names in a folder durable. */
export async function flushFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return;
    throw error;
  }
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Virus scanners and indexers hold files open for moments on Windows: such a refusal is tried again for about a second. */
async function withRetries<T>(act: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await act();
    } catch (error) {
      const passing = process.platform === 'win32' && ['EPERM', 'EBUSY', 'EACCES'].includes(systemErrorCode(error) ?? '');
      if (!passing || attempt >= 7) throw error;
      await sleep(10 * 2 ** attempt);
    }
  }
}
