import type { FileNode } from '../../filesystems/file-system.ts';
import type { ComparedFile, FileDifference, FoundDifference } from './diff-files.ts';

/** A file that bears another name, or lies elsewhere, and is the same otherwise. */
export interface FileRename {
  readonly path: string;
  readonly change: 'renamed';
  /** Where it was. */
  readonly from: string;
  readonly after: ComparedFile;
}

export type PointFileDifference = FileDifference | FileRename;

/**
 * Joins what went and what came where both are the same file: one identity, type, size and time (and time of birth, where both have
 * one). File systems give identities of removed files to new ones, so an identity alone proves nothing.
 */
export function joinRenames(found: readonly FoundDifference[]): PointFileDifference[] {
  const gone = new Map<string, FoundDifference | undefined>();
  for (const entry of found) {
    if (entry.difference.change !== 'removed') continue;
    const key = identityOf(entry.node);
    // Of two names of one file nobody can tell which became which.
    gone.set(key, gone.has(key) ? undefined : entry);
  }
  const joined = new Set<FoundDifference>();
  const result = found.map((entry): PointFileDifference | FoundDifference => {
    const { difference, node } = entry;
    const from = difference.change === 'added' ? gone.get(identityOf(node)) : undefined;
    if (difference.change !== 'added' || !from || joined.has(from)) return entry;
    joined.add(from);
    return { path: difference.path, change: 'renamed', from: from.difference.path, after: difference.after };
  });
  return result.flatMap((entry) => ('difference' in entry ? (joined.has(entry) ? [] : [entry.difference]) : [entry]));
}

function identityOf({ id, type, size, modified, created }: FileNode): string {
  const isFile = type === 'file';
  // A directory's size and time change with what is in it.
  return [id, type, ...(isFile ? [size, modified] : []), created].join('\0');
}
