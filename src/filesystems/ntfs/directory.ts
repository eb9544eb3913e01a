import { type FileName, parseFileName } from './file-name.ts';
import { type RecordReference, referenceAt } from './file-record.ts';
import type { IndexEntry } from './index-node.ts';
import { IndexTree } from './index-tree.ts';
import type { NtfsFile } from './ntfs-file.ts';
import type { RecordReader } from './record-reader.ts';
import type { UpCase } from './up-case.ts';

const FILE_NAMES = '$I30';

/** A name in a directory and the record that it stands for. */
export interface DirectoryName extends FileName {
  readonly record: RecordReference;
}

/** The names in a directory in its order, short ones left out. */
export async function* listNames(table: RecordReader, directory: NtfsFile): AsyncGenerator<DirectoryName> {
  const tree = await IndexTree.open(table, directory, FILE_NAMES);
  let previous: DirectoryName | undefined;
  let problem: unknown;
  for await (const entry of tree.entries()) {
    const name = attempt(() => nameOf(entry));
    if (name instanceof Error) {
      problem ??= name;
      continue;
    }
    // The root lists itself as `.`.
    if (name.isShort || name.name === '.') continue;
    const isSame = previous?.name === name.name && previous.record.number === name.record.number;
    previous = name;
    if (!isSame) yield name;
  }
  if (problem !== undefined) throw problem;
}

/** A name in a directory; regardless of case where none is exactly equal. Of several such the first. */
export async function findName(
  table: RecordReader,
  directory: NtfsFile,
  wanted: string,
  upCase: UpCase,
): Promise<DirectoryName | undefined> {
  const tree = await IndexTree.open(table, directory, FILE_NAMES);
  const names = new Map<IndexEntry, DirectoryName>();
  let similar: DirectoryName | undefined;
  const prepare = async (entries: readonly IndexEntry[]): Promise<void> => {
    names.clear();
    for (const entry of entries) if (entry.key !== undefined) names.set(entry, nameOf(entry));
    await upCase.prepare([wanted, ...[...names.values()].map(({ name }) => name)]);
  };
  const judge = (entry: IndexEntry) => {
    const order = upCase.compare(wanted, names.get(entry)!.name);
    return { before: order <= 0, after: order >= 0 };
  };
  const isIt = (entry: IndexEntry): boolean => {
    const name = names.get(entry)!;
    if (!name.isShort) similar ??= name;
    return !name.isShort && name.name === wanted;
  };
  const exact = await tree.search(judge, isIt, prepare);
  return exact ? nameOf(exact) : similar;
}

function nameOf({ bytes, key }: IndexEntry): DirectoryName {
  return { ...parseFileName(key!), record: referenceAt(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0) };
}

function attempt<T>(work: () => T): T | Error {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}
