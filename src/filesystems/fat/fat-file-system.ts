import type { ByteRange } from '../../lib/byte-range.ts';
import { ClusterRuns, clusterContent, clusterRanges } from '../cluster-runs.ts';
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
import { unicodeUpCase } from '../unicode-up-case.ts';
import { type FatNode, type FoundEntry, isDirectory, nodeOf } from './directory-entry.ts';
import { type FatVolume, listEntries, rootOf } from './list-entries.ts';

/** Reads FAT12, FAT16 and FAT32. */
export class FatFileSystem implements FileSystem {
  readonly names = 'utf16';
  readonly info: FileSystemInfo;
  readonly #fat: FatVolume;
  readonly #index: NameIndex<FoundEntry>;

  constructor(fat: FatVolume, info: FileSystemInfo) {
    this.#fat = fat;
    this.info = info;
    this.#index = new NameIndex((directory) => this.#entries(directory), unicodeUpCase);
  }

  async root(): Promise<FileNode> {
    return rootOf(this.#fat.layout);
  }

  async *list(directory: FileNode): AsyncGenerator<DirectoryEntry> {
    for await (const found of this.#entries(directory)) {
      yield { name: found.name, type: isDirectory(found.entry) ? 'dir' : 'file', node: async () => this.#node(found) };
    }
  }

  async find(directory: FileNode, name: string): Promise<FileNode | undefined> {
    const found = await this.#index.find(directory, name);
    return found && this.#node(found);
  }

  async open(file: FileNode, stream?: string): Promise<FileContent> {
    if (file.type !== 'file' || stream !== undefined) throw new FileTypeError(`${stream ?? 'a directory'} is no file`);
    return clusterContent(this.#fat.volume, this.#fat.layout.heap, { runs: await this.#clusters(file as FatNode), sizeBytes: file.size });
  }

  async extras(): Promise<FileExtras> {
    return {};
  }

  async allocation(file: FileNode): Promise<ByteRange[]> {
    return clusterRanges(this.#fat.layout.heap, await this.#clusters(file as FatNode));
  }

  free(): AsyncIterable<ByteRange> {
    return this.#fat.table.free();
  }

  #entries(directory: FileNode): AsyncGenerator<FoundEntry> {
    if (directory.type !== 'dir') throw new FileTypeError('a file is no directory');
    return listEntries(this.#fat, directory as FatNode);
  }

  #node(found: FoundEntry): FatNode {
    return nodeOf(found, this.#fat.layout.bits === 28);
  }

  /** The clusters that a file's size asks for; of a directory, which keeps no size, its whole chain. */
  async #clusters({ type, size, firstCluster }: FatNode): Promise<ClusterRuns> {
    const { layout, table } = this.#fat;
    const { clusterSize, clusterCount } = layout.heap;
    const needed = type === 'dir' ? clusterCount : Math.ceil(size / clusterSize);
    if (needed === 0 || (type === 'dir' && firstCluster === 0)) return new ClusterRuns();
    if (needed > clusterCount) throw damaged(`a file of ${size} bytes is larger than its volume`);
    const runs = await table.runs(firstCluster, needed);
    if (type === 'file' && runs.total < needed) throw damaged(`a file of ${size} bytes has ${runs.total} clusters instead of ${needed}`);
    return runs;
  }
}

const damaged = (what: string) => new FileSystemDamagedError('vfat', what);
