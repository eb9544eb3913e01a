import type { FileSystem, FileType } from '../../filesystems/file-system.ts';
import { type FileTime, fileTimeText } from '../../lib/file-time.ts';
import { walkFiles } from '../inside/walk-files.ts';

/** A file as a listing of a whole volume keeps it: what tells its versions apart. */
export interface VolumeFile {
  /** Inside the volume; begins with `/`. Untrusted text. */
  readonly path: string;
  readonly type: FileType;
  readonly size: number;
  /** ISO 8601, UTC, as exact as its file system keeps it. */
  readonly modified?: string;
  /** Identity within its file system. */
  readonly id: string;
}

/** What lies on a volume, and where it could not be told: a sentence each, at most a few, and how many there were. */
export interface ListingProblems {
  count: number;
  first?: string;
}

/** Every file, directory and link of a file system. What cannot be read is counted in `problems`, and its neighbours are told. */
export async function* listVolume(
  system: FileSystem,
  problems: ListingProblems,
  signal: AbortSignal | undefined,
): AsyncGenerator<VolumeFile> {
  const node = await system.root();
  for await (const file of walkFiles(system, { names: [], node }, { recursive: true, ...(signal && { signal }) })) {
    if (file.error) {
      problems.count += 1;
      problems.first ??= `${file.path}: ${file.error.message}`;
    }
    if (!file.node) continue;
    const { type, size, modified, id } = file.node;
    yield { path: file.path, type, size, ...modifiedOf(modified), id };
  }
}

function modifiedOf(time: FileTime | undefined): { modified?: string } {
  const modified = fileTimeText(time);
  return modified === undefined ? {} : { modified };
}
