import type { ByteRange } from '../../lib/byte-range.ts';
import { clusterContent, clusterRanges } from '../cluster-runs.ts';
import {
  type DirectoryEntry,
  type FileContent,
  type FileExtras,
  type FileNode,
  type FileSystem,
  FileSystemDamagedError,
  type FileSystemInfo,
  FileTypeError,
} from '../file-system.ts';
import { NameIndex } from '../name-index.ts';
import type { UpCase } from '../unicode-up-case.ts';
import { freeInBitmap } from './allocation-bitmap.ts';
import { type EntrySet, type ExfatNode, isDirectorySet, nameOfSet, nodeOfSet } from './entry-set.ts';
import { type ExfatVolume, listSets, readClusters, rootOf } from './exfat-volume.ts';

/** What was found when a volume was opened. */
export interface ExfatParts {
  readonly info: FileSystemInfo;
  readonly upCase: UpCase;
  /** Absent where the volume has none that can be. */
  readonly bitmap?: FileContent;
}

interface NamedSet {
  readonly name: string;
  readonly set: EntrySet;
}

/** Reads exFAT. */
export class ExfatFileSystem implements FileSystem {
  readonly names = 'utf16';
  readonly info: FileSystemInfo;
  readonly #exfat: ExfatVolume;
  readonly #parts: ExfatParts;
  readonly #index: NameIndex<NamedSet>;

  constructor(exfat: ExfatVolume, parts: ExfatParts) {
    this.#exfat = exfat;
    this.#parts = parts;
    this.info = parts.info;
    this.#index = new NameIndex((directory) => this.#names(directory), parts.upCase);
  }

  async root(): Promise<FileNode> {
    return rootOf(this.#exfat.layout);
  }

  async *list(directory: FileNode): AsyncGenerator<DirectoryEntry> {
    for await (const { name, set } of this.#names(directory)) {
      yield { name, type: isDirectorySet(set) ? 'dir' : 'file', node: async () => nodeOfSet(set) };
    }
  }

  async find(directory: FileNode, name: string): Promise<FileNode | undefined> {
    const found = await this.#index.find(directory, name);
    return found && nodeOfSet(found.set);
  }

  async open(file: FileNode, stream?: string): Promise<FileContent> {
    if (file.type !== 'file' || stream !== undefined) throw new FileTypeError(`${stream ?? 'a directory'} is no file`);
    const { size, validBytes } = file as ExfatNode;
    const runs = await readClusters(this.#exfat, file as ExfatNode);
    return clusterContent(this.#exfat.volume, this.#exfat.layout.heap, { runs, sizeBytes: size, validBytes });
  }

  async extras(): Promise<FileExtras> {
    return {};
  }

  async allocation(file: FileNode): Promise<ByteRange[]> {
    const { layout, table } = this.#exfat;
    if (file.id !== rootOf(layout).id) return clusterRanges(layout.heap, await readClusters(this.#exfat, file as ExfatNode));
    return clusterRanges(layout.heap, await table.runs(layout.rootCluster, layout.heap.clusterCount));
  }

  free(): AsyncIterable<ByteRange> {
    const { bitmap } = this.#parts;
    if (!bitmap) throw new FileSystemDamagedError('exfat', 'the volume has no allocation bitmap that can be read');
    return freeInBitmap(bitmap, this.#exfat.layout.heap);
  }

  /** Entries without any name cannot be asked for. */
  async *#names(directory: FileNode): AsyncGenerator<NamedSet> {
    if (directory.type !== 'dir') throw new FileTypeError('a file is no directory');
    for await (const set of listSets(this.#exfat, directory as ExfatNode)) {
      const name = nameOfSet(set);
      if (name !== '' && name !== '.' && name !== '..') yield { name, set };
    }
  }
}
