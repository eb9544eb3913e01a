import { nameFromBytes, nameToBytes } from '../../lib/byte-names.ts';
import { type ByteRange, normalizeRanges } from '../../lib/byte-range.ts';
import {
  type DirectoryEntry,
  type FileContent,
  type FileExtras,
  type FileNode,
  type FileSystem,
  type FileSystemInfo,
  FileTypeError,
  FileUnreadableError,
} from '../file-system.ts';
import { readAttributes } from './attributes.ts';
import { directoryEntries, findEntry } from './directory.ts';
import { ExtentMap } from './extent-map.ts';
import { fileContent } from './file-content.ts';
import { readFileNode } from './file-node.ts';
import { freeRanges } from './free-space.ts';
import { type Inode, readInode } from './inode.ts';
import { damaged } from './xfs-damage.ts';
import type { XfsVolume } from './xfs-volume.ts';

/** XFS, read as it lies on the volume. */
export class XfsFileSystem implements FileSystem {
  readonly names = 'bytes';
  readonly info: FileSystemInfo;
  readonly #volume: XfsVolume;

  constructor(volume: XfsVolume, info: FileSystemInfo) {
    this.#volume = volume;
    this.info = info;
  }

  async root(): Promise<FileNode> {
    const root = await readFileNode(this.#volume, this.#volume.superblock.rootInode);
    if (root.type !== 'dir') throw damaged('the root is no directory');
    return root;
  }

  async *list(directory: FileNode): AsyncGenerator<DirectoryEntry> {
    for await (const { name, inode, type } of directoryEntries(this.#volume, await this.#directory(directory))) {
      yield { name: nameFromBytes(name), ...(type && { type }), node: () => readFileNode(this.#volume, inode) };
    }
  }

  async find(directory: FileNode, name: string): Promise<FileNode | undefined> {
    const entry = await findEntry(this.#volume, await this.#directory(directory), nameToBytes(name));
    return entry && (await readFileNode(this.#volume, entry.inode));
  }

  async open(file: FileNode, stream?: string): Promise<FileContent> {
    if (file.type !== 'file' || stream !== undefined) throw new FileTypeError(`inode ${file.id} is no file`);
    if (file.unreadable !== undefined) throw new FileUnreadableError(`inode ${file.id}`, file.unreadable);
    const inode = await this.#inode(file);
    return fileContent(this.#volume, this.#mapOf(inode), inode.size, `file ${file.id}`);
  }

  async extras(file: FileNode): Promise<FileExtras> {
    const extendedAttributes = await readAttributes(this.#volume, await this.#inode(file));
    return extendedAttributes.length > 0 ? { extendedAttributes } : {};
  }

  async allocation(file: FileNode): Promise<ByteRange[]> {
    const inode = await this.#inode(file);
    if (inode.data.format === 'local' || inode.data.format === 'device' || inode.isRealtime) return [];
    const { blockSize } = this.#volume.superblock;
    const ranges: ByteRange[] = [];
    for await (const { block, count } of this.#mapOf(inode).within(0, Number.MAX_SAFE_INTEGER)) {
      const run = this.#volume.runAt(block, count, `file ${file.id}`);
      ranges.push({ offset: run.block * blockSize, length: run.count * blockSize });
    }
    return normalizeRanges(ranges);
  }

  free(): AsyncGenerator<ByteRange> {
    return freeRanges(this.#volume);
  }

  #mapOf(inode: Inode): ExtentMap {
    return new ExtentMap(this.#volume, inode.data, `file ${inode.number}`);
  }

  async #directory(node: FileNode): Promise<Inode> {
    if (node.type !== 'dir') throw new FileTypeError(`inode ${node.id} is no directory`);
    return await this.#inode(node);
  }

  async #inode(node: FileNode): Promise<Inode> {
    return await readInode(this.#volume, Number(node.id));
  }
}
