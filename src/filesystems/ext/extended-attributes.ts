import { nameFromBytes } from '../../lib/byte-names.ts';
import { chainCrc32c } from './ext-checksum.ts';
import { damaged, type ExtVolume, readBlock } from './ext-volume.ts';
import { blockContent } from './file-content.ts';
import { INODE_FLAGS, type Inode, readInode } from './inode.ts';

/** Linux, Documentation/filesystems/ext4/attributes.rst. */
const MAGIC = 0xea02_0000;
const BLOCK_HEADER_SIZE = 32;
const BLOCK_CHECKSUM_AT = 16;
const ENTRY_SIZE = 16;
/** What Linux lets a value and all values of a file hold. */
const MAX_VALUE = 64 * 1024;
const MAX_VALUES = 16 * 1024 * 1024;

const SYSTEM = 7;
const PREFIXES: Readonly<Record<number, string>> = {
  1: 'user.',
  2: 'system.posix_acl_access',
  3: 'system.posix_acl_default',
  4: 'trusted.',
  5: 'lustre.',
  6: 'security.',
  [SYSTEM]: 'system.',
  8: 'system.richacl',
};

export interface ExtendedAttribute {
  readonly name: string;
  readonly value: Uint8Array;
}

interface Entry {
  readonly prefix: number;
  readonly name: string;
  /** Number of the inode that holds the value; 0 when the value lies here. */
  readonly valueInode: number;
  readonly size: number;
  /** Where in the area the value lies. */
  readonly offset: number;
}

/** The extended attributes of a file by their whole names; its inline data and encryption context are none. */
export async function readAttributes(ext: ExtVolume, inode: Inode): Promise<ExtendedAttribute[]> {
  const found: ExtendedAttribute[] = [];
  let total = 0;
  for (const { area, entries } of [...inodeArea(ext, inode), ...(await blockArea(ext, inode))]) {
    for (const entry of entries) {
      const prefix = PREFIXES[entry.prefix];
      if (prefix === undefined || isInlineData(entry)) continue;
      total += entry.size;
      if (entry.size > MAX_VALUE || total > MAX_VALUES) throw damaged(ext, `the attributes of inode ${inode.number} are too large`);
      found.push({ name: prefix + entry.name, value: await attributeValue(ext, inode, area, entry) });
    }
  }
  return found;
}

/** What inline data has beyond the 60 bytes of the block map: the value of `system.data`, which always lies in the inode. */
export function inlineRest(ext: ExtVolume, inode: Inode): Uint8Array {
  for (const { area, entries } of inodeArea(ext, inode)) {
    const entry = entries.find(isInlineData);
    if (entry) return localValue(ext, inode, area, entry);
  }
  throw damaged(ext, `inode ${inode.number} has inline data, but no attribute for it`);
}

const isInlineData = ({ prefix, name }: Entry) => prefix === SYSTEM && name === 'data';

interface Area {
  /** Offsets of values count from its start. */
  readonly area: Uint8Array;
  readonly entries: readonly Entry[];
}

function inodeArea(ext: ExtVolume, inode: Inode): Area[] {
  const { tail } = inode;
  if (tail.length < 8 || viewOf(tail).getUint32(0, true) !== MAGIC) return [];
  const area = tail.subarray(4);
  return [{ area, entries: parseEntries(ext, inode, area, 0) }];
}

async function blockArea(ext: ExtVolume, inode: Inode): Promise<Area[]> {
  const { attributeBlock: block, number } = inode;
  if (block === 0) return [];
  const area = await readBlock(ext, block, `attributes of inode ${number}`);
  const view = viewOf(area);
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(8, true) !== 1)
    throw damaged(ext, `block ${block} holds no attributes of inode ${number}`);
  if (ext.superblock.hasMetadataChecksums && blockChecksum(ext, block, area) !== view.getUint32(BLOCK_CHECKSUM_AT, true)) {
    throw damaged(ext, `block ${block}, attributes of inode ${number}, does not have its checksum`);
  }
  return [{ area, entries: parseEntries(ext, inode, area, BLOCK_HEADER_SIZE) }];
}

function blockChecksum({ superblock }: ExtVolume, block: number, area: Uint8Array): number {
  const number = new Uint8Array(8);
  viewOf(number).setBigUint64(0, BigInt(block), true);
  const blank = area.slice();
  blank.fill(0, BLOCK_CHECKSUM_AT, BLOCK_CHECKSUM_AT + 4);
  return chainCrc32c(chainCrc32c(superblock.checksumSeed, number), blank);
}

/** Entries follow each other until four zero bytes. */
function parseEntries(ext: ExtVolume, inode: Inode, area: Uint8Array, start: number): Entry[] {
  const view = viewOf(area);
  const entries: Entry[] = [];
  for (let at = start; at + 4 <= area.length && view.getUint32(at, true) !== 0; ) {
    const nameLength = view.getUint8(at);
    const nameAt = at + ENTRY_SIZE;
    if (nameAt + nameLength > area.length) throw damaged(ext, `the attributes of inode ${inode.number} do not end`);
    entries.push({
      prefix: view.getUint8(at + 1),
      offset: view.getUint16(at + 2, true),
      valueInode: view.getUint32(at + 4, true),
      size: view.getUint32(at + 8, true),
      name: nameFromBytes(area.subarray(nameAt, nameAt + nameLength)),
    });
    at = nameAt + Math.ceil(nameLength / 4) * 4;
  }
  return entries;
}

async function attributeValue(ext: ExtVolume, inode: Inode, area: Uint8Array, entry: Entry): Promise<Uint8Array> {
  if (entry.valueInode === 0) return localValue(ext, inode, area, entry);
  const holder = await readInode(ext, entry.valueInode);
  const right = (holder.flags & INODE_FLAGS.attributeValue) !== 0 && holder.size === BigInt(entry.size);
  if (!right) throw damaged(ext, `inode ${entry.valueInode} does not hold an attribute of inode ${inode.number}`);
  const value = new Uint8Array(entry.size);
  await blockContent(ext, holder, entry.size).read(0, value);
  return value;
}

function localValue(ext: ExtVolume, inode: Inode, area: Uint8Array, { offset, size }: Entry): Uint8Array {
  if (size > 0 && offset + size > area.length) throw damaged(ext, `an attribute of inode ${inode.number} lies outside its area`);
  return area.slice(offset, offset + size);
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
