import { link, lstat, rename, rm, unlink } from 'node:fs/promises';
import { retrySharing } from '../../lib/durable-files.ts';
import { systemErrorCode } from '../../lib/errors.ts';
import { TargetExistsError } from '../recover-to-folder.ts';
import type { OpenFolder } from './open-folder.ts';
import type { RestoreContext } from './restore-context.ts';
import { TargetUnsafeError } from './target-folder.ts';

/** What a file system without hard links answers to one. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL', 'UNKNOWN', 'EISDIR'];
/** Names that are tried where the target takes for one what its rules tell apart. */
const MOST_TWINS = 8;

/**
 * Gives what is complete in the temporary folder its name, at once and whole. What is there is replaced only where that was asked for, and
 * never something of this job: then another name is found. Answers the name; `undefined` when what is there is to stay.
 */
export async function settle(context: RestoreContext, into: OpenFolder, staged: string, wanted: string): Promise<string | undefined> {
  const { rules } = context.target;
  let name = wanted;
  for (let tries = 0; tries < MOST_TWINS; tries++) {
    const state = await stateOf(context, into, name);
    if (state === 'skip') return undefined;
    if (state === 'free' && (await takeName(context, into, staged, name))) return name;
    if (state === 'replace') {
      await move(context, into, staged, name);
      return name;
    }
    if (state !== 'own' && !into.folder.made) throw new TargetExistsError(into.folder.childPath(name));
    name = into.twinOf(wanted, rules);
  }
  throw new TargetExistsError(into.folder.childPath(name));
}

/** Whether a name is free, and what is to be done where it is not. `own`: this job made what is there. */
export async function stateOf(
  { existing }: RestoreContext,
  into: OpenFolder,
  name: string,
): Promise<'free' | 'skip' | 'replace' | 'own' | 'taken'> {
  // What this job made was empty: whoever is in the way there came along meanwhile, or is its own.
  if (into.folder.made || (existing !== 'overwrite' && existing !== 'skip')) return 'free';
  const found = await into.folder
    .within(name, (path) => lstat(path, { bigint: true }))
    .catch((error: unknown) => {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw error;
    });
  if (!found) return 'free';
  if (into.isOwn(`${found.dev}:${found.ino}`)) return 'own';
  if (existing === 'skip') return 'skip';
  return found.isDirectory() ? 'taken' : 'replace';
}

/** False when something is there. A second name is exclusive where the system has such; elsewhere one looks first. */
async function takeName(context: RestoreContext, into: OpenFolder, staged: string, name: string): Promise<boolean> {
  const { staging } = context.target;
  try {
    await staging.within(staged, (from) => into.folder.within(name, (to) => retrySharing(() => link(from, to))));
  } catch (error) {
    const code = systemErrorCode(error) ?? '';
    if (code === 'EEXIST') return false;
    if (!NO_LINKS.includes(code)) throw understood(error, into);
    if (await isTaken(into, name)) return false;
    await move(context, into, staged, name);
    return true;
  }
  await staging.within(staged, (from) => retrySharing(() => unlink(from)));
  await noteOwn(into, name);
  return true;
}

async function move({ target }: RestoreContext, into: OpenFolder, staged: string, name: string): Promise<void> {
  try {
    await target.staging.within(staged, (from) => into.folder.within(name, (to) => retrySharing(() => rename(from, to))));
  } catch (error) {
    throw understood(error, into);
  }
  // Two names of one file: nothing was renamed, and both are still there.
  await target.staging.within(staged, (from) => rm(from, { force: true }));
  await noteOwn(into, name);
}

/** In a folder that was there before, this job's files are told from older ones by their identity. */
async function noteOwn(into: OpenFolder, name: string): Promise<void> {
  if (into.folder.made) return;
  const { dev, ino } = await into.folder.within(name, (path) => lstat(path, { bigint: true }));
  into.own(`${dev}:${ino}`);
}

async function isTaken(into: OpenFolder, name: string): Promise<boolean> {
  return await into.folder.within(name, (path) =>
    lstat(path).then(
      () => true,
      (error: unknown) => {
        if (systemErrorCode(error) === 'ENOENT') return false;
        throw error;
      },
    ),
  );
}

function understood(error: unknown, into: OpenFolder): unknown {
  if (systemErrorCode(error) !== 'EXDEV') return error;
  return new TargetUnsafeError(into.folder.path, 'lies on another volume than the target', { cause: error });
}
