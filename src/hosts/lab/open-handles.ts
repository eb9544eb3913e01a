import { open, readdir, readlink, realpath } from 'node:fs/promises';
import { systemErrorCode } from '../../lib/errors.ts';

/** libuv's flag for opening a file on Windows that nobody else has open; refused with EBUSY when somebody has. */
const WINDOWS_EXCLUSIVE = 0x1000_0000;

/**
 * Those of `paths` that some process has open, this one and all of its threads included. Linux: found in /proc, as far as this user
 * may look. Windows: tried by opening without sharing. Elsewhere nobody can tell, and the answer is empty.
 */
export async function openPaths(paths: readonly string[]): Promise<string[]> {
  if (process.platform === 'linux') return openOnLinux(paths);
  if (process.platform !== 'win32') return [];
  const open = await Promise.all(paths.map(isOpenOnWindows));
  return paths.filter((_, index) => open[index]);
}

async function openOnLinux(paths: readonly string[]): Promise<string[]> {
  const byRealPath = new Map<string, string>();
  for (const path of paths) {
    const real = await orUndefined(realpath(path));
    if (real !== undefined) byRealPath.set(real, path);
  }
  const found = new Set<string>();
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  for (const process of processes) {
    // The kernel answers ENOENT and EACCES for processes that end meanwhile or belong to others.
    const handles = (await orUndefined(readdir(`/proc/${process}/fd`))) ?? [];
    const targets = await Promise.all(handles.map((handle) => orUndefined(readlink(`/proc/${process}/fd/${handle}`))));
    for (const target of targets) {
      const path = target === undefined ? undefined : byRealPath.get(target);
      if (path !== undefined) found.add(path);
    }
  }
  return paths.filter((path) => found.has(path));
}

async function isOpenOnWindows(path: string): Promise<boolean> {
  try {
    const handle = await open(path, WINDOWS_EXCLUSIVE);
    await handle.close();
    return false;
  } catch (error) {
    return systemErrorCode(error) === 'EBUSY';
  }
}

async function orUndefined<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch {
    return undefined;
  }
}
