import { access, lstat, mkdir, open, realpath, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolderDurably } from '../../lib/durable-files.ts';
import { systemErrorCode } from '../../lib/errors.ts';
import type { NameRules } from '../../lib/target-names.ts';
import { type StreamTarget, windowsStreams } from './stream-target.ts';
import { type Anchors, TargetFolder } from './target-folder.ts';

/** A folder to recover into, with what it can hold. */
export interface Target extends AsyncDisposable {
  /** The folder itself, held. */
  readonly root: TargetFolder;
  /** A folder in it, of this job alone, where files are written before they get their name; removed at the end. */
  readonly staging: TargetFolder;
  readonly rules: NameRules;
  /** A name in `staging` that nobody has. */
  stagedName(): string;
  /** Absent where it holds no alternate data streams. */
  readonly streams?: StreamTarget;
}

export interface TargetOptions {
  readonly folder: string;
  /** Of the job; tells its temporary folder from those of others. */
  readonly id: string;
  readonly names?: 'auto' | 'posix' | 'windows';
  /** As the running system needs them. */
  readonly anchors?: Anchors;
  /** As the running system has them. */
  readonly streams?: StreamTarget;
}

/** The temporary folder of a job: what a crash leaves of it. Not made yet. */
export async function stagingPath(folder: string, id: string): Promise<string> {
  await makeFolderDurably(folder);
  return join(await realpath(folder), stagingName(id));
}

/** Opens the folder, which is there, and finds out what it can hold. Disposing removes what is unfinished. */
export async function openTarget({ folder, id, names = 'auto', anchors, streams }: TargetOptions): Promise<Target> {
  await using stack = new AsyncDisposableStack();
  const held = anchors ?? (await ownAnchors());
  const root = await TargetFolder.open(folder, held);
  stack.defer(() => root.close());
  const path = await stagingPath(folder, id);
  stack.defer(() => rm(path, { recursive: true, force: true, maxRetries: 5 }));
  const staging = await root.folder(stagingName(id), 'make', 0o700);
  stack.defer(() => staging.close());
  const probed = await probe(path);
  const found = { ...probed.rules, anyBytes: probed.rules.anyBytes && held === 'descriptors' };
  const rules = names === 'auto' ? found : ruled(found, names);
  const own = streams ?? probed.streams;
  const moved = stack.move();
  let staged = 0;
  const stagedName = () => `f${++staged}`;
  return { root, staging, rules, stagedName, ...(own && { streams: own }), [Symbol.asyncDispose]: () => moved.disposeAsync() };
}

/** Bytes that are free for this user where the folder lies; undefined where its volume does not tell. */
export async function freeSpace(folder: string): Promise<number | undefined> {
  const space = await statfs(folder).catch(() => undefined);
  return space && space.blocks > 0 ? space.bavail * space.bsize : undefined;
}

function stagingName(id: string): string {
  return `.mabs-recovery-${id.slice(0, 8)}`;
}

async function ownAnchors(): Promise<Anchors> {
  if (process.platform !== 'linux') return 'paths';
  return await access('/proc/self/fd').then(
    () => 'descriptors',
    () => 'paths',
  );
}

/** What was asked for: Windows' names are a choice for any target, what it cannot do stays as found. */
function ruled(found: NameRules, kind: 'posix' | 'windows'): NameRules {
  return kind === 'windows' ? { ...found, kind, caseSensitive: false, anyBytes: false } : { ...found, kind };
}

/** Tries names in a folder of this job alone: a share or a stick takes less than the system that it is mounted on. */
async function probe(folder: string): Promise<{ rules: NameRules; streams?: StreamTarget }> {
  const caseSensitive = !(await sameEntry(folder, 'probe-a', 'PROBE-A')) && !(await sameEntry(folder, 'probe-\u00e9', 'probe-e\u0301'));
  if (process.platform === 'win32') {
    // Windows' own programs take two names of one spelling for one, whatever the folder is set to.
    const rules: NameRules = { kind: 'windows', caseSensitive: false, anyBytes: false, longNames: true };
    return (await takes(folder, 'probe-b:stream')) ? { rules, streams: windowsStreams } : { rules };
  }
  const takesAll = await takes(folder, 'probe-c:*?"<>|.');
  const anyBytes = await takes(folder, Buffer.from([0x70, 0xff, 0xfe]));
  const longNames = await takes(folder, '\u65e5'.repeat(255));
  return { rules: { kind: takesAll ? 'posix' : 'windows', caseSensitive, anyBytes, longNames } };
}

async function sameEntry(folder: string, made: string, other: string): Promise<boolean> {
  await mkdir(join(folder, made));
  try {
    return await lstat(join(folder, other)).then(
      () => true,
      () => false,
    );
  } finally {
    await rm(join(folder, made), { recursive: true });
  }
}

async function takes(folder: string, name: string | Buffer): Promise<boolean> {
  const path = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name)]);
  try {
    await (await open(path, 'wx')).close();
  } catch (error) {
    if (['ENOSPC', 'EDQUOT', 'EIO', 'EROFS'].includes(systemErrorCode(error) ?? '')) throw error;
    return false;
  }
  await rm(path, { force: true });
  return true;
}
