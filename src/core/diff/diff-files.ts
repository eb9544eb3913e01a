import type { DirectoryEntry, FileNode, FileSystem, FileType } from '../../filesystems/file-system.ts';
import { MabsError, throwIfAborted } from '../../lib/errors.ts';
import { fileTimeText } from '../../lib/file-time.ts';
import { ownFilesOf } from '../inside/own-files.ts';

/** What of a file is another between two points. */
export type FileAspect = 'type' | 'size' | 'modified' | 'mode' | 'target';

/** A file as one of the points has it. */
export interface ComparedFile {
  readonly type: FileType;
  readonly size: number;
  readonly modified?: string;
  readonly mode?: number;
  readonly target?: string;
}

/** A path that differs. Of a directory that came or went, everything in it is told too. */
export type FileDifference = { readonly path: string } & (
  | { readonly change: 'added'; readonly after: ComparedFile }
  | { readonly change: 'removed'; readonly before: ComparedFile }
  | { readonly change: 'changed'; readonly before: ComparedFile; readonly after: ComparedFile; readonly differs: readonly FileAspect[] }
);

/** A difference, with the identity of its file where it came or went: what renames are known by. */
export interface FoundDifference {
  readonly difference: FileDifference;
  readonly node: FileNode;
}

export interface DiffProblems {
  count: number;
  first?: string;
}

/** No system makes paths of so many names. */
const MAX_DEPTH = 10_000;
/** Names of one directory that are held in memory. */
const MOST_NAMES = 1_000_000;

/** One directory on both sides; absent where it came or went. */
interface Pair {
  readonly path: string;
  readonly before?: FileNode;
  readonly after?: FileNode;
  readonly depth: number;
}

/**
 * The files that differ between two file systems: both are walked, directory by directory, and files compared by what their systems
 * say of them; content is not read. Directories count as changed by their mode alone, and what a file system keeps itself in does not
 * count. What cannot be read is counted in `problems`.
 */
export async function* diffFiles(
  before: FileSystem,
  after: FileSystem,
  problems: DiffProblems,
  signal: AbortSignal | undefined,
): AsyncGenerator<FoundDifference> {
  const todo: Pair[] = [{ path: '', before: await before.root(), after: await after.root(), depth: 0 }];
  const walked = { before: new Set<string>(), after: new Set<string>() };
  for (let pair = todo.pop(); pair; pair = todo.pop()) {
    throwIfAborted(signal);
    const [old, now] = [
      await namesIn(before, pair.before, walked.before, pair, problems),
      await namesIn(after, pair.after, walked.after, pair, problems),
    ];
    const below: Pair[] = [];
    for (const name of new Set([...old.entries.keys(), ...now.entries.keys()])) {
      // What is missing on a side that was read in part may be there all the same.
      if ((!old.isWhole && !old.entries.has(name)) || (!now.isWhole && !now.entries.has(name))) continue;
      const path = `${pair.path}/${name}`;
      const [was, is] = [await nodeOf(old.entries.get(name), path, problems), await nodeOf(now.entries.get(name), path, problems)];
      if (was === 'unreadable' || is === 'unreadable') continue;
      yield* differences(path, was, is);
      const directories = { ...(was?.type === 'dir' && { before: was }), ...(is?.type === 'dir' && { after: is }) };
      if (was?.type === 'dir' || is?.type === 'dir') below.push({ path, ...directories, depth: pair.depth + 1 });
    }
    todo.push(...below.reverse());
  }
}

/** The names in a directory; not `isWhole`: there are others, which could not be read. */
interface Names {
  readonly entries: ReadonlyMap<string, DirectoryEntry>;
  readonly isWhole: boolean;
}

async function namesIn(
  system: FileSystem,
  directory: FileNode | undefined,
  walked: Set<string>,
  { path, depth }: Pair,
  problems: DiffProblems,
): Promise<Names> {
  const entries = new Map<string, DirectoryEntry>();
  if (!directory) return { entries, isWhole: true };
  const repeated = walked.has(directory.id) || depth > MAX_DEPTH;
  walked.add(directory.id);
  if (repeated) {
    noteProblem(problems, path, 'this directory is reached by two paths, or lies too deep');
    return { entries, isWhole: false };
  }
  try {
    for await (const entry of system.list(directory)) {
      if (depth === 0 && ownFilesOf(system).has(entry.name)) continue;
      if (entries.size >= MOST_NAMES) {
        noteProblem(problems, path, `it has more than ${MOST_NAMES} names, of which the rest is not compared`);
        return { entries, isWhole: false };
      }
      entries.set(entry.name, entry);
    }
  } catch (error) {
    noteFailure(problems, path, error);
    return { entries, isWhole: false };
  }
  return { entries, isWhole: true };
}

async function nodeOf(
  entry: DirectoryEntry | undefined,
  path: string,
  problems: DiffProblems,
): Promise<FileNode | 'unreadable' | undefined> {
  try {
    return await entry?.node();
  } catch (error) {
    noteFailure(problems, path, error);
    return 'unreadable';
  }
}

function* differences(path: string, was: FileNode | undefined, is: FileNode | undefined): Generator<FoundDifference> {
  if (was && !is) yield { difference: { path, change: 'removed', before: comparedFile(was) }, node: was };
  if (is && !was) yield { difference: { path, change: 'added', after: comparedFile(is) }, node: is };
  if (!was || !is) return;
  const [before, after] = [comparedFile(was), comparedFile(is)];
  const aspects: FileAspect[] = was.type === 'dir' && is.type === 'dir' ? ['mode'] : ['type', 'size', 'modified', 'mode', 'target'];
  const differs = aspects.filter((aspect) => before[aspect] !== after[aspect]);
  if (differs.length > 0) yield { difference: { path, change: 'changed', before, after, differs }, node: is };
}

function comparedFile({ type, size, modified, mode, target }: FileNode): ComparedFile {
  const at = fileTimeText(modified);
  return {
    type,
    size,
    ...(at !== undefined && { modified: at }),
    ...(mode !== undefined && { mode }),
    ...(target !== undefined && { target }),
  };
}

function noteFailure(problems: DiffProblems, path: string, error: unknown): void {
  if (!(error instanceof MabsError) || error.kind === 'interrupted') throw error;
  noteProblem(problems, path, error.message);
}

function noteProblem(problems: DiffProblems, path: string, what: string): void {
  problems.count += 1;
  problems.first ??= `${path || '/'}: ${what}`;
}
