import { type DirectoryEntry, type FileNode, type FileSystem, FileSystemDamagedError } from '../../filesystems/file-system.ts';
import { throwIfAborted } from '../../lib/errors.ts';

/** A place in a tree: the names that lead there are had by going up. */
export interface TreePlace {
  readonly name: string;
  readonly parent: TreePlace | undefined;
}

/** What a walk comes by. A directory is entered, then all in it comes, then it is left. */
export type Visit =
  | { readonly type: 'node' | 'enter'; readonly place: TreePlace; readonly node: FileNode }
  | { readonly type: 'leave' }
  /** Of `place` nothing (more) can be read. `listing`: of the directory that was entered; it is left all the same. */
  | { readonly type: 'failed'; readonly place: TreePlace; readonly listing: boolean; readonly error: unknown };

interface Level {
  readonly place: TreePlace;
  readonly entries: AsyncIterator<DirectoryEntry>;
}

/** No system that is read has deeper trees that are meant; each level takes memory. */
const MOST_LEVELS = 20_000;

/**
 * Walks through what a node holds, depth first. Ends whatever the file system says: a directory that comes a second time, which no
 * sound one does, is damage. `omit`: names in the start itself that do not count. Holds one directory a level and 60 bytes or so a directory.
 */
export async function* walkTree(
  system: FileSystem,
  start: { readonly place: TreePlace; readonly node: FileNode },
  walk: { skipped: boolean; readonly omit?: ReadonlySet<string> },
  signal?: AbortSignal,
): AsyncGenerator<Visit> {
  const seen = new Set<string>();
  const levels: Level[] = [];
  const arrive = function* ({ place, node }: typeof start): Generator<Visit> {
    if (node.type !== 'dir') {
      yield { type: 'node', place, node };
      return;
    }
    const wrong = seen.has(node.id) ? 'the directory stands in more than one place' : 'the tree is too deep';
    if (seen.has(node.id) || levels.length >= MOST_LEVELS) {
      yield { type: 'failed', place, listing: false, error: new FileSystemDamagedError(system.info.type, wrong) };
      return;
    }
    seen.add(node.id);
    walk.skipped = false;
    yield { type: 'enter', place, node };
    if (walk.skipped) yield { type: 'leave' };
    else levels.push({ place, entries: system.list(node)[Symbol.asyncIterator]() });
  };
  try {
    yield* arrive(start);
    for (let level = levels.at(-1); level; level = levels.at(-1)) {
      throwIfAborted(signal);
      const next = await nextEntry(level);
      if (next.type === 'failed') yield next;
      if (next.type !== 'entry') {
        levels.pop();
        yield { type: 'leave' };
        continue;
      }
      if (levels.length === 1 && walk.omit?.has(next.entry.name)) continue;
      const place: TreePlace = { name: next.entry.name, parent: level.place };
      const found = await nodeOf(next.entry, place);
      if ('type' in found) yield found;
      else yield* arrive({ place, node: found.node });
    }
  } finally {
    // A walk that is left early lets go of what the reader holds.
    for (const { entries } of levels) await entries.return?.();
  }
}

/** The names from the start of a walk down to a place; the start's own first. */
export function namesTo(place: TreePlace): string[] {
  const names: string[] = [];
  for (let at: TreePlace | undefined = place; at; at = at.parent) names.push(at.name);
  return names.reverse();
}

type Failed = Extract<Visit, { type: 'failed' }>;

async function nextEntry({ place, entries }: Level): Promise<Failed | { type: 'entry'; entry: DirectoryEntry } | { type: 'end' }> {
  try {
    const { done, value } = await entries.next();
    return done ? { type: 'end' } : { type: 'entry', entry: value };
  } catch (error) {
    return { type: 'failed', place, listing: true, error };
  }
}

async function nodeOf(entry: DirectoryEntry, place: TreePlace): Promise<Failed | { node: FileNode }> {
  try {
    return { node: await entry.node() };
  } catch (error) {
    return { type: 'failed', place, listing: false, error };
  }
}
