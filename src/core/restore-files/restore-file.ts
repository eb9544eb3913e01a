import { type FileHandle, link, open, rm } from 'node:fs/promises';
import type { FileNode, FileSystem } from '../../filesystems/file-system.ts';
import { systemErrorCode } from '../../lib/errors.ts';
import { copyContent } from './copy-content.ts';
import type { ExtrasEntry } from './extras-file.ts';
import { applyMetadata } from './metadata.ts';
import type { OpenFolder } from './open-folder.ts';
import type { RestoreContext } from './restore-context.ts';
import { settle, stateOf } from './settle.ts';
import { isStreamName } from './stream-target.ts';

/** Files with several names that are remembered, so that the others become names of the same file. */
const MOST_HARD_LINKS = 100_000;

/** The files of one selection that have several names: the temporary name that keeps each, once it is complete. */
export type HardLinks = Map<string, Promise<string | undefined>>;

export interface RestoredFile {
  /** The name that it got; absent when what is there was to stay. */
  readonly name?: string;
  readonly bytesWritten: number;
  /** Streams that the target cannot hold. */
  readonly streams: ExtrasEntry['streams'];
}

/** Writes a file whole under a temporary name, then gives it its own. Nothing of it is left where that fails. */
export async function restoreFile(
  context: RestoreContext,
  system: FileSystem,
  node: FileNode,
  into: OpenFolder,
  wanted: string,
  hardLinks: HardLinks,
): Promise<RestoredFile> {
  into.folder.childPath(wanted);
  if ((await stateOf(context, into, wanted)) === 'skip') return { bytesWritten: 0, streams: [] };
  const temporary = context.target.stagedName();
  try {
    const linked = await linkToFirst(context, node, temporary, hardLinks);
    const written = linked ?? (await writeFirst(context, system, node, temporary, hardLinks));
    const name = await settle(context, into, temporary, wanted);
    if (name === undefined) await remove(context, temporary);
    return { ...(name !== undefined && { name }), ...written };
  } catch (error) {
    await remove(context, temporary);
    throw error;
  }
}

type Written = Omit<RestoredFile, 'name'>;

/** Makes `temporary` another name of a file that was written before, where this is one and the target can. */
async function linkToFirst(
  { target }: RestoreContext,
  node: FileNode,
  temporary: string,
  hardLinks: HardLinks,
): Promise<Written | undefined> {
  const first = await hardLinks.get(node.id);
  if (first === undefined) return undefined;
  try {
    await target.staging.within(first, (from) => target.staging.within(temporary, (to) => link(from, to)));
    return { bytesWritten: 0, streams: [] };
  } catch (error) {
    // No hard links there, or too many on this one: a copy is as good.
    if (systemErrorCode(error)) return undefined;
    throw error;
  }
}

async function writeFirst(
  context: RestoreContext,
  system: FileSystem,
  node: FileNode,
  temporary: string,
  hardLinks: HardLinks,
): Promise<Written> {
  const keeps = node.links > 1 && hardLinks.size < MOST_HARD_LINKS && !hardLinks.has(node.id);
  const kept = Promise.withResolvers<string | undefined>();
  if (keeps) hardLinks.set(node.id, kept.promise);
  try {
    const written = await writeContent(context, system, node, temporary);
    if (keeps) kept.resolve(await keepAnotherName(context, temporary));
    return written;
  } finally {
    // Where it failed, the next name of the file tries for itself.
    kept.resolve(undefined);
  }
}

async function writeContent(context: RestoreContext, system: FileSystem, node: FileNode, temporary: string): Promise<Written> {
  const { target, signal, onBytes } = context;
  const options = { onBytes, ...(signal && { signal }) };
  const content = await system.open(node);
  await using file: FileHandle = await target.staging.within(temporary, (path) => open(path, 'wx', 0o666));
  let bytesWritten = await copyContent(content, file, options);
  const kept: { name: string; content: Awaited<ReturnType<FileSystem['open']>> }[] = [];
  for (const { name } of node.streams ?? []) {
    const stream = await system.open(node, name);
    if (target.streams && isStreamName(name)) {
      const { streams } = target;
      await using into = await target.staging.within(temporary, (path) => streams.create(path, name));
      bytesWritten += await copyContent(stream, into, options);
    } else kept.push({ name, content: stream });
  }
  await applyMetadata(context, node, file);
  return { bytesWritten, streams: kept };
}

async function keepAnotherName({ target }: RestoreContext, temporary: string): Promise<string | undefined> {
  const name = target.stagedName();
  try {
    await target.staging.within(temporary, (from) => target.staging.within(name, (to) => link(from, to)));
    return name;
  } catch (error) {
    if (systemErrorCode(error)) return undefined;
    throw error;
  }
}

async function remove({ target }: RestoreContext, temporary: string): Promise<void> {
  await target.staging.within(temporary, (path) => rm(path, { force: true, maxRetries: 5 }));
}
