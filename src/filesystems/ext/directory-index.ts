import { type Dirent, isIndexRoot, parseDirectoryBlock } from './directory-block.ts';
import { type ExtVolume, readBlock } from './ext-volume.ts';
import type { Inode } from './inode.ts';
import { listBlockRuns } from './list-block-runs.ts';
import { isHashKnown, nameHash } from './name-hash.ts';

/** Linux, Documentation/filesystems/ext4/directory.rst, Hash Tree Directories. */
const HASH_VERSION_AT = 28;
const LEVELS_AT = 30;
const ROOT_ENTRIES_AT = 32;
const NODE_ENTRIES_AT = 8;
const MAX_LEVELS = 3;
/** Blocks that names of one hash fill. */
const MAX_COLLISIONS = 8;

/** The names in the blocks where the index puts names of this hash. None when the index is not as it must be: it promises nothing. */
export async function findByHash(ext: ExtVolume, inode: Inode, name: Uint8Array): Promise<Dirent[]> {
  const root = await directoryBlock(ext, inode, 0);
  if (!root || !isIndexRoot(root)) return [];
  const version = root[HASH_VERSION_AT]!;
  const levels = root[LEVELS_AT]! & 0xf;
  if (!isHashKnown(version) || levels > MAX_LEVELS) return [];
  const hash = nameHash(name, version, ext.superblock);
  let node = entriesAt(root, ROOT_ENTRIES_AT);
  for (let level = 0; level < levels && node; level += 1) {
    const next = await directoryBlock(ext, inode, placesOf(node, hash)[0]!);
    node = next && entriesAt(next, NODE_ENTRIES_AT);
  }
  const found: Dirent[] = [];
  for (const place of node ? placesOf(node, hash).slice(0, MAX_COLLISIONS) : []) {
    const block = await directoryBlock(ext, inode, place);
    if (block) found.push(...parseDirectoryBlock(ext, inode, block).entries);
  }
  return found;
}

interface IndexEntry {
  readonly hash: number;
  readonly place: number;
}

/** The entries of a node: the first stands for all hashes below the second, and in place of its own the node's limits are kept. */
function entriesAt(node: Uint8Array, at: number): IndexEntry[] | undefined {
  const view = new DataView(node.buffer, node.byteOffset, node.length);
  const [limit, count] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
  if (count < 1 || count > limit || at + limit * 8 > node.length) return undefined;
  return Array.from({ length: count }, (_, index) => ({
    hash: index === 0 ? 0 : view.getUint32(at + index * 8, true),
    place: view.getUint32(at + index * 8 + 4, true) & 0x0fff_ffff,
  }));
}

/** Blocks of the directory for a hash: the last that begins at or below it, and those that go on with the same hash (marked by bit 0). */
function placesOf(node: readonly IndexEntry[], hash: number): number[] {
  const index = node.findLastIndex((entry) => entry.hash <= hash);
  const more = node.slice(index + 1).findIndex((entry) => entry.hash !== hash + 1);
  return node.slice(index, more < 0 ? undefined : index + 1 + more).map(({ place }) => place);
}

async function directoryBlock(ext: ExtVolume, inode: Inode, number: number): Promise<Uint8Array | undefined> {
  for await (const { block, isWritten } of listBlockRuns(ext, inode, number, number + 1)) {
    if (isWritten) return await readBlock(ext, block, `a part of directory ${inode.number}`);
  }
  return undefined;
}
