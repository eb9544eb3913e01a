import type { FileType } from '../file-system.ts';
import { chainCrc32c } from './ext-checksum.ts';
import type { ExtVolume } from './ext-volume.ts';
import { INODE_FLAGS, type Inode } from './inode.ts';

/** Linux, Documentation/filesystems/ext4/directory.rst. */
const ENTRY_HEAD = 8;
const TAIL_SIZE = 12;
const TAIL_MARK = 0xde;

const TYPES: Readonly<Record<number, FileType>> = { 1: 'file', 2: 'dir', 3: 'other', 4: 'other', 5: 'other', 6: 'other', 7: 'link' };

/** A name as it stands in a directory. */
export interface Dirent {
  readonly inode: number;
  readonly name: Uint8Array;
  readonly type?: FileType;
}

export interface DirentList {
  readonly entries: readonly Dirent[];
  /** What is wrong from some place of the block on, in words: names are missing. */
  readonly problem?: string;
}

/** The names in a block of a directory. Of one without its checksum: none. */
export function parseDirectoryBlock(ext: ExtVolume, inode: Inode, block: Uint8Array): DirentList {
  if (ext.superblock.hasMetadataChecksums && !isIndexNode(inode, block) && !hasItsChecksum(inode, block)) {
    return { entries: [], problem: 'a block does not have its checksum' };
  }
  return parseDirents(ext, block);
}

/** Entries that follow each other up to the end of `area`; unused ones and `.` and `..` are left out. */
export function parseDirents({ superblock }: ExtVolume, area: Uint8Array): DirentList {
  const view = viewOf(area);
  const entries: Dirent[] = [];
  for (let at = 0; at < area.length; ) {
    const room = area.length - at;
    const length = room < ENTRY_HEAD ? 0 : entryLength(view.getUint16(at + 4, true), superblock.blockSize);
    const nameLength = length === 0 ? 0 : view.getUint8(at + 6);
    if (length < TAIL_SIZE || length % 4 !== 0 || length > room || nameLength > length - ENTRY_HEAD) {
      return { entries, problem: `an entry at ${at} of a block has an impossible length` };
    }
    const inode = view.getUint32(at, true);
    const name = area.subarray(at + ENTRY_HEAD, at + ENTRY_HEAD + nameLength);
    if (inode !== 0 && nameLength > 0 && !isDots(name)) entries.push(direntOf(inode, name, superblock.hasFileTypes, view.getUint8(at + 7)));
    at += length;
  }
  return { entries };
}

function direntOf(inode: number, name: Uint8Array, hasType: boolean, code: number): Dirent {
  const type = hasType ? TYPES[code & 0x7] : undefined;
  return type ? { inode, name, type } : { inode, name };
}

/** With blocks of 64 KiB the length has 18 bits, and two ways to say a whole block. */
function entryLength(stored: number, blockSize: number): number {
  if (blockSize < 65_536) return stored;
  return stored === 0 || stored === 65_535 ? blockSize : (stored & 0xfffc) | ((stored & 3) << 16);
}

const isDots = (name: Uint8Array) => name[0] === 0x2e && (name.length === 1 || (name.length === 2 && name[1] === 0x2e));

/** A block of the hash index: to those who do not know of it, it holds no names, or `.` and `..` alone. */
function isIndexNode({ flags }: Inode, block: Uint8Array): boolean {
  if (!(flags & INODE_FLAGS.indexed)) return false;
  const view = viewOf(block);
  const isWhole = entryLength(view.getUint16(4, true), block.length) === block.length;
  return (isWhole && view.getUint32(0, true) === 0) || isIndexRoot(block);
}

/** The first block of an indexed directory: `.` and `..`, then where its index says how it is made. */
export function isIndexRoot(block: Uint8Array): boolean {
  const view = viewOf(block);
  return view.getUint16(4, true) === 12 && entryLength(view.getUint16(16, true), block.length) === block.length - 12 && block[29] === 8;
}

/** The checksum ends the block, in what looks like an unused entry. */
function hasItsChecksum({ checksumSeed }: Inode, block: Uint8Array): boolean {
  const tail = block.length - TAIL_SIZE;
  const view = viewOf(block);
  const isTail = view.getUint32(tail, true) === 0 && view.getUint32(tail + 4, true) === TAIL_SIZE + TAIL_MARK * 2 ** 24;
  return isTail && chainCrc32c(checksumSeed, block.subarray(0, tail)) === view.getUint32(tail + 8, true);
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
