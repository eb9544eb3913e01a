import {
  type DirectoryEntry,
  type FileNode,
  type FileSystem,
  FileSystemDamagedError,
  type FileType,
} from '../../filesystems/file-system.ts';
import { MabsError, throwIfAborted } from '../../lib/errors.ts';
import { pathOf } from './volume-path.ts';

/** One name on a walk: what it stands for, or why that cannot be told. */
export interface WalkedFile {
  /** From the root of the volume down. Names are data: each may hold anything, also `/`. */
  readonly names: readonly string[];
  /** The names joined by `/`, for people. */
  readonly path: string;
  readonly type: FileType;
  readonly node?: FileNode;
  /** Set instead of `node`; or, for a directory, after its own entry, when its names could not be listed to the end. */
  readonly error?: MabsError;
}

export interface WalkOptions {
  /** Into the directories below, too. */
  readonly recursive?: boolean;
  readonly signal?: AbortSignal;
  /** Whether to go into a directory; asked with `recursive` alone. */
  readonly enter?: (directory: WalkedFile) => boolean;
}

/** A directory of up to so many names is told in the order of names; what is larger, as it lies. */
const SORTED_NAMES = 10_000;
/** Names that a walk holds in memory at a time, over all directories that it is in. */
const HELD_NAMES = 100_000;
/** No system makes paths of so many names. */
const MAX_DEPTH = 10_000;

/** A directory that a walk is in: the names that are still to be told. */
interface Level {
  readonly names: readonly string[];
  readonly path: string;
  readonly entries: AsyncIterator<DirectoryEntry>;
}

/**
 * What lies in a directory, each directory before what is in it. Damage is told as a value, and the walk goes on; only a start that
 * cannot be listed at all rejects. Links are told and not followed; a directory that was walked before (a loop, a tree that meets
 * itself) is told as damaged and not entered again. Holds a bounded number of names, however many there are.
 */
export async function* walkFiles(
  system: FileSystem,
  start: { readonly names: readonly string[]; readonly node: FileNode },
  options: WalkOptions = {},
): AsyncGenerator<WalkedFile> {
  const { recursive = false, signal, enter = () => true } = options;
  const held = { names: 0 };
  const walked = new Set([start.node.id]);
  const levelOf = (names: readonly string[], path: string, node: FileNode): Level => ({
    names,
    path,
    entries: inOrder(system.list(node), held),
  });
  const levels = [levelOf(start.names, start.names.length === 0 ? '' : pathOf(start.names), start.node)];
  let told = false;
  try {
    for (let level = levels.at(-1); level; level = levels.at(-1)) {
      throwIfAborted(signal);
      const next = await nextOf(level);
      if (next === undefined) {
        levels.pop();
        continue;
      }
      if (next instanceof MabsError) {
        if (!told && levels.length === 1) throw next;
        levels.pop();
        yield { names: level.names, path: level.path || '/', type: 'dir', error: next };
        continue;
      }
      told = true;
      const file = await walkedFile(level, next);
      yield file;
      if (!recursive || file.node?.type !== 'dir' || !enter(file)) continue;
      const refused = refusal(file.node, walked, levels.length);
      if (refused) yield { names: file.names, path: file.path, type: 'dir', error: refused };
      else levels.push(levelOf(file.names, file.path, file.node));
      walked.add(file.node.id);
    }
  } finally {
    // A walk that is left early lets go of what the reader holds.
    for (const { entries } of levels) await entries.return?.();
  }
}

/** The next entry of a level, nothing at its end, or why its names cannot be told any further. */
async function nextOf(level: Level): Promise<DirectoryEntry | MabsError | undefined> {
  try {
    const { done, value } = await level.entries.next();
    return done ? undefined : value;
  } catch (error) {
    return damage(error);
  }
}

async function walkedFile(level: Level, entry: DirectoryEntry): Promise<WalkedFile> {
  const place = { names: level.names.concat(entry.name), path: `${level.path}/${entry.name}` };
  try {
    const node = await entry.node();
    return { ...place, type: node.type, node };
  } catch (error) {
    return { ...place, type: entry.type ?? 'other', error: damage(error) };
  }
}

function refusal(node: FileNode, walked: ReadonlySet<string>, depth: number): MabsError | undefined {
  if (walked.has(node.id)) return new FileSystemDamagedError('the file system', 'this directory is reached by two paths, or holds itself');
  return depth < MAX_DEPTH ? undefined : new FileSystemDamagedError('the file system', `directories lie more than ${MAX_DEPTH} deep`);
}

/** What concerns one file alone; anything else ends the walk. */
function damage(error: unknown): MabsError {
  if (error instanceof MabsError && error.kind !== 'interrupted') return error;
  throw error;
}

/** Entries in the order of their names, as far as memory allows; a failure comes after what was read before it. */
async function* inOrder(entries: AsyncIterable<DirectoryEntry>, held: { names: number }): AsyncGenerator<DirectoryEntry> {
  const iterator = entries[Symbol.asyncIterator]();
  const first: DirectoryEntry[] = [];
  let failure: { readonly error: unknown } | undefined;
  let ended = false;
  while (!ended && first.length < SORTED_NAMES && held.names < HELD_NAMES) {
    try {
      const { done, value } = await iterator.next();
      if (done) ended = true;
      else {
        first.push(value);
        held.names++;
      }
    } catch (error) {
      failure = { error };
      ended = true;
    }
  }
  if (ended) first.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  for (const entry of first) {
    held.names--;
    yield entry;
  }
  if (failure) throw failure.error;
  if (!ended) yield* { [Symbol.asyncIterator]: () => iterator };
}
