import { chmod, chown, type FileHandle, utimes } from 'node:fs/promises';
import type { FileNode } from '../../filesystems/file-system.ts';
import type { FileTime } from '../../lib/file-time.ts';
import type { RestoreContext } from './restore-context.ts';

const MICROSECOND = 1000n;

/** Sets times, permissions and, where asked for, the owner, in an order in which none undoes another. */
export async function applyMetadata(context: RestoreContext, node: FileNode, at: FileHandle | string): Promise<void> {
  const { owner, setId } = context;
  if (owner && node.uid !== undefined && node.gid !== undefined) {
    await (typeof at === 'string' ? chown(at, node.uid, node.gid) : at.chown(node.uid, node.gid));
  }
  if (node.mode !== undefined && process.platform !== 'win32') {
    const mode = node.mode & (setId ? 0o7777 : 0o1777);
    await (typeof at === 'string' ? chmod(at, mode) : at.chmod(mode));
  }
  const modified = secondsOf(node.modified);
  if (modified === undefined) return;
  const accessed = secondsOf(node.accessed) ?? modified;
  await (typeof at === 'string' ? utimes(at, accessed, modified) : at.utimes(accessed, modified));
}

/** Seconds since 1970 as Node.js takes them, to about a microsecond; undefined for what no system of today can set. */
export function secondsOf(time: FileTime | undefined): number | undefined {
  if (time === undefined) return undefined;
  const seconds = Number(time / MICROSECOND) / 1_000_000;
  return Math.abs(seconds) < 2 ** 34 ? seconds : undefined;
}
