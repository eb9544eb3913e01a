import { lutimes, rm, symlink } from 'node:fs/promises';
import type { FileNode } from '../../filesystems/file-system.ts';
import { nameToBytes } from '../../lib/byte-names.ts';
import { systemErrorCode } from '../../lib/errors.ts';
import type { NameOrigin } from '../../lib/target-names.ts';
import { secondsOf } from './metadata.ts';
import type { OpenFolder } from './open-folder.ts';
import type { RestoreContext } from './restore-context.ts';
import { settle } from './settle.ts';

export interface RestoredLink {
  readonly name?: string;
  readonly status: 'ok' | 'skipped' | 'noted';
}

/**
 * Makes a symbolic link as it was: what it leads to is neither looked at nor changed. Links of another kind of system than this one,
 * and junctions and absolute links of Windows, which would lead into this machine's own drives, are only noted.
 */
export async function restoreLink(
  context: RestoreContext,
  node: FileNode,
  origin: NameOrigin,
  into: OpenFolder,
  wanted: string,
): Promise<RestoredLink> {
  const { target, links } = context;
  if (links === 'skip' || node.target === undefined || !canMakeLink(node, origin)) return { status: 'noted' };
  const temporary = target.stagedName();
  try {
    if (!(await make(context, temporary, node, node.target))) return { status: 'noted' };
    const name = await settle(context, into, temporary, wanted);
    return name === undefined ? { status: 'skipped' } : { status: 'ok', name };
  } finally {
    await target.staging.within(temporary, (path) => rm(path, { force: true }));
  }
}

/** Whether a link is one that this system may make, as far as can be told without trying. */
export function canMakeLink({ junction, target }: FileNode, origin: NameOrigin): boolean {
  if (target === undefined || target === '' || target.includes('\0')) return false;
  if (process.platform !== 'win32') return origin === 'bytes';
  const relative = target.isWellFormed() && !/^[\\/]|^[A-Za-z]:/.test(target);
  return origin === 'utf16' && junction !== true && relative;
}

/** False where this system, this volume or this user makes no links. */
async function make({ target: { staging } }: RestoreContext, temporary: string, node: FileNode, leadsTo: string): Promise<boolean> {
  return await staging.within(temporary, async (path) => {
    try {
      await symlink(process.platform === 'win32' ? leadsTo : Buffer.from(nameToBytes(leadsTo)), path);
    } catch (error) {
      if (['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL', 'ENAMETOOLONG'].includes(systemErrorCode(error) ?? ''))
        return false;
      throw error;
    }
    const modified = secondsOf(node.modified);
    if (modified !== undefined) await lutimes(path, secondsOf(node.accessed) ?? modified, modified);
    return true;
  });
}
