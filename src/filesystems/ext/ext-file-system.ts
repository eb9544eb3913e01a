import { nameFromBytes, nameToBytes } from '../../lib/byte-names.ts';
import { type ByteRange, roundOut } from '../../lib/byte-range.ts';
import {
  type DirectoryEntry,
  type FileContent,
  type FileNode,
  type FileSystem,
  type FileSystemInfo,
  FileTypeError,
  FileUnreadableError,
} from '../file-system.ts';
import { findDirent, listDirents } from './directory.ts';
import type { Dirent } from './directory-block.ts';
import { damaged, type ExtVolume } from './ext-volume.ts';
import { readAttributes } from './extended-attributes.ts';
import { blockContent, memoryContent } from './file-content.ts';
import { encryptedName, fileNode, sizeOf } from './file-node.ts';
import { foldedName } from './folded-name.ts';
import { listFreeRanges } from './free-ranges.ts';
import { readInlineData } from './inline-data.ts';
import { INODE_FLAGS, type Inode, readInode } from './inode.ts';
import { listBlockRuns } from './list-block-runs.ts';

const ROOT = 2;

/** ext2, ext3 and ext4 behind the port. */
export class ExtFileSystem implements FileSystem {
  readonly names = 'bytes';
  readonly info: FileSystemInfo;
  readonly #ext: ExtVolume;

  constructor(ext: ExtVolume, info: FileSystemInfo) {
    this.#ext = ext;
    this.info = info;
  }

  async root(): Promise<FileNode> {
    const node = await this.#node(ROOT);
    if (node.type !== 'dir') throw damaged(this.#ext, 'the root is no directory');
    return node;
  }

  async *list(directory: FileNode): AsyncGenerator<DirectoryEntry> {
    const inode = await this.#directory(directory);
    for await (const dirent of listDirents(this.#ext, inode)) {
      yield {
        name: shownName(inode, dirent),
        ...(dirent.type && { type: dirent.type }),
        node: () => this.#node(dirent.inode),
      };
    }
  }

  async find(directory: FileNode, name: string): Promise<FileNode | undefined> {
    const inode = await this.#directory(directory);
    const found = await this.#findName(inode, name);
    return found && (await this.#node(found.inode));
  }

  async open(file: FileNode, stream?: string): Promise<FileContent> {
    const label = `inode ${file.id}`;
    if (file.type !== 'file' || stream !== undefined) throw new FileTypeError(`${label} is no file`);
    if (file.unreadable !== undefined) throw new FileUnreadableError(label, file.unreadable);
    const inode = await this.#inode(file);
    if (inode.flags & INODE_FLAGS.inlineData) return memoryContent(inode, readInlineData(this.#ext, inode));
    return blockContent(this.#ext, inode, sizeOf(this.#ext, inode));
  }

  async extras(file: FileNode) {
    const extendedAttributes = await readAttributes(this.#ext, await this.#inode(file));
    return extendedAttributes.length > 0 ? { extendedAttributes } : {};
  }

  async allocation(file: FileNode): Promise<ByteRange[]> {
    const inode = await this.#inode(file);
    if (file.type !== 'file' || (inode.flags & INODE_FLAGS.inlineData) !== 0) return [];
    const { blockSize } = this.#ext.superblock;
    const ranges: ByteRange[] = [];
    for await (const { block, count } of listBlockRuns(this.#ext, inode, 0, Number.MAX_SAFE_INTEGER)) {
      ranges.push({ offset: block * blockSize, length: count * blockSize });
    }
    return roundOut(ranges, this.info.clusterSize, this.info.sizeBytes);
  }

  free(): AsyncGenerator<ByteRange> {
    return listFreeRanges(this.#ext, this.info.sizeBytes);
  }

  async #node(number: number): Promise<FileNode> {
    return await fileNode(this.#ext, await readInode(this.#ext, number));
  }

  #inode(file: FileNode): Promise<Inode> {
    return readInode(this.#ext, Number(file.id));
  }

  async #directory(directory: FileNode): Promise<Inode> {
    if (directory.type !== 'dir') throw new FileTypeError(`inode ${directory.id} is no directory`);
    return await this.#inode(directory);
  }

  /** In an encrypted directory names are known as they are shown; the index of one that ignores case knows folded names only. */
  async #findName(inode: Inode, name: string): Promise<Dirent | undefined> {
    if (inode.flags & INODE_FLAGS.encrypted) return await findDirent(this.#ext, inode, (dirent) => shownName(inode, dirent) === name);
    const bytes = Buffer.from(nameToBytes(name));
    const isExact = (dirent: Dirent) => bytes.equals(dirent.name);
    if (!(inode.flags & INODE_FLAGS.casefold)) return await findDirent(this.#ext, inode, isExact, bytes);
    const folded = foldedName(name);
    return (
      (await findDirent(this.#ext, inode, isExact)) ??
      (await findDirent(this.#ext, inode, (dirent) => foldedName(nameFromBytes(dirent.name)) === folded))
    );
  }
}

function shownName({ flags }: Inode, { name }: Dirent): string {
  return flags & INODE_FLAGS.encrypted ? encryptedName(name) : nameFromBytes(name);
}
