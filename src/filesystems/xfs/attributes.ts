import { struct, u8, u16be, u32be } from '../../lib/struct.ts';
import { ATTRIBUTE_LEAF_MAGICS, type DaBlock, daBlock, daNode } from './da-block.ts';
import { ExtentMap } from './extent-map.ts';
import type { Inode } from './inode.ts';
import { MappedBytes } from './mapped-bytes.ts';
import { readRemoteValue } from './remote-value.ts';
import { damaged } from './xfs-damage.ts';
import type { XfsVolume } from './xfs-volume.ts';

/** An extended attribute with its whole name: `user.x`, `trusted.SGI_ACL_FILE` (a POSIX ACL as XFS keeps it), `security.selinux`. */
export interface Attribute {
  readonly name: string;
  readonly value: Uint8Array;
}

/** XFS Algorithms & Data Structures, Extended Attributes. */
const SHORT_HEAD = struct(4, { size: u16be(0), count: u8(2) });
const LEAF_HEAD = struct(20, { count: u16be(0) });
const LEAF_HEAD_5_SIZE = 24;
const LEAF_ENTRY = struct(8, { nameAt: u16be(4), flags: u8(6) });
const LOCAL_NAME = struct(3, { valueLength: u16be(0), nameLength: u8(2) });
const REMOTE_NAME = struct(9, { valueBlock: u32be(0), valueLength: u32be(4), nameLength: u8(8) });

const IS_LOCAL = 0x01;
const ROOT = 0x02;
const SECURE = 0x04;
/** Names of parents, which the file system keeps for itself; and what was being written when the system stopped. */
const NOT_SHOWN = 0x08 | 0x80;
/** `XFS_XATTR_SIZE_MAX`. */
const MAX_VALUE = 65_536;
const MAX_LEVELS = 5;
/** A file's attributes are held at once: no more of them than a few MiB. */
const MAX_TOTAL = 4 * 1024 * 1024;

/** All extended attributes of an inode. */
export async function readAttributes(volume: XfsVolume, inode: Inode): Promise<Attribute[]> {
  const { attributes } = inode;
  if (!attributes) return [];
  if (attributes.format === 'local') return shortForm(attributes.bytes, inode.number);
  if (attributes.format === 'extents' && attributes.extents === 0) return [];
  const what = `attributes of inode ${inode.number}`;
  const blocks = new MappedBytes(volume, new ExtentMap(volume, attributes, what), what);
  const found: Attribute[] = [];
  const seen = new Set<number>();
  let total = 0;
  for (let next = await firstLeaf(volume, blocks, what); ; ) {
    if (seen.has(next)) throw damaged(`${what}: they lead around`);
    seen.add(next);
    const leaf = await readBlock(volume, blocks, next, what);
    for (const attribute of await leafAttributes(volume, blocks, leaf, what)) {
      total += attribute.value.length + attribute.name.length + 64;
      if (total > MAX_TOTAL) throw damaged(`${what}: they take more than ${MAX_TOTAL} bytes`);
      found.push(attribute);
    }
    if (leaf.next === 0) return found;
    next = leaf.next;
  }
}

function shortForm(fork: Uint8Array, inode: number): Attribute[] {
  const what = `attributes of inode ${inode}`;
  if (fork.length < SHORT_HEAD.size) throw damaged(`${what}: no room for them`);
  const { size, count } = SHORT_HEAD.read(fork);
  const bytes = fork.subarray(0, size);
  const found: Attribute[] = [];
  for (let index = 0, at = SHORT_HEAD.size; index < count; index++) {
    const [nameLength = 0, valueLength = 0, flags = 0] = bytes.subarray(at, at + 3);
    const valueAt = at + 3 + nameLength;
    if (valueAt + valueLength > bytes.length || nameLength === 0) throw damaged(`${what}: one ends outside`);
    if (!(flags & NOT_SHOWN))
      found.push({ name: wholeName(bytes.subarray(at + 3, valueAt), flags), value: bytes.slice(valueAt, valueAt + valueLength) });
    at = valueAt + valueLength;
  }
  return found;
}

/** The leaf that is first in order: always the leftmost child. */
async function firstLeaf(volume: XfsVolume, blocks: MappedBytes, what: string): Promise<number> {
  let block = 0;
  for (let levels = 0; levels <= MAX_LEVELS; levels++) {
    const node = daNode(volume, await readBlock(volume, blocks, block, what), what);
    if (!node) return block;
    block = node.children[0]!.block;
  }
  throw damaged(`${what}: their tree has too many levels`);
}

async function readBlock(volume: XfsVolume, blocks: MappedBytes, block: number, what: string): Promise<DaBlock> {
  const { bytes, position } = await blocks.blocks(block, 1);
  return daBlock(volume, bytes, position, `${what}: block ${block}`);
}

async function leafAttributes(volume: XfsVolume, blocks: MappedBytes, { bytes, at, magic }: DaBlock, what: string): Promise<Attribute[]> {
  const { version } = volume.superblock;
  if (!ATTRIBUTE_LEAF_MAGICS[version].includes(magic)) throw damaged(`${what}: a block holds something else`);
  const { count } = LEAF_HEAD.read(bytes, at);
  const from = at + (version === 5 ? LEAF_HEAD_5_SIZE : LEAF_HEAD.size);
  if (from + count * LEAF_ENTRY.size > bytes.length) throw damaged(`${what}: a block claims ${count} of them`);
  const found: Attribute[] = [];
  for (let index = 0; index < count; index++) {
    const { nameAt, flags } = LEAF_ENTRY.read(bytes, from + index * LEAF_ENTRY.size);
    if (flags & NOT_SHOWN) continue;
    const attribute =
      flags & IS_LOCAL ? localAttribute(bytes, nameAt, flags) : await remoteAttribute(volume, blocks, bytes, nameAt, flags, what);
    if (!attribute) throw damaged(`${what}: one ends outside`);
    found.push(attribute);
  }
  return found;
}

function localAttribute(bytes: Uint8Array, at: number, flags: number): Attribute | undefined {
  if (at + LOCAL_NAME.size > bytes.length) return undefined;
  const { valueLength, nameLength } = LOCAL_NAME.read(bytes, at);
  const valueAt = at + LOCAL_NAME.size + nameLength;
  if (valueAt + valueLength > bytes.length) return undefined;
  return { name: wholeName(bytes.subarray(at + LOCAL_NAME.size, valueAt), flags), value: bytes.slice(valueAt, valueAt + valueLength) };
}

async function remoteAttribute(
  volume: XfsVolume,
  blocks: MappedBytes,
  bytes: Uint8Array,
  at: number,
  flags: number,
  what: string,
): Promise<Attribute | undefined> {
  if (at + REMOTE_NAME.size > bytes.length) return undefined;
  const { valueBlock, valueLength, nameLength } = REMOTE_NAME.read(bytes, at);
  const nameAt = at + REMOTE_NAME.size;
  if (nameAt + nameLength > bytes.length || valueLength > MAX_VALUE) return undefined;
  const name = wholeName(bytes.subarray(nameAt, nameAt + nameLength), flags);
  return { name, value: await readRemoteValue(volume, blocks, valueBlock, valueLength, what) };
}

function wholeName(name: Uint8Array, flags: number): string {
  const space = flags & ROOT ? 'trusted' : flags & SECURE ? 'security' : 'user';
  return `${space}.${new TextDecoder().decode(name)}`;
}
