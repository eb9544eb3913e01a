import { MabsError } from '../../lib/errors.ts';
import { checkDirectoryBlock, directoryBlockEntries, entryAt } from './directory-block.ts';
import { isDots, type NameEntry } from './directory-entry.ts';
import { INDEX_OFFSET, positionsByHash } from './directory-index.ts';
import { ExtentMap } from './extent-map.ts';
import type { Inode } from './inode.ts';
import { MappedBytes } from './mapped-bytes.ts';
import { nameHash } from './name-hash.ts';
import { shortFormEntries } from './short-form-directory.ts';
import { damaged } from './xfs-damage.ts';
import type { XfsVolume } from './xfs-volume.ts';

/** After so many damaged blocks in a row nothing more is expected of a directory. */
const MAX_DAMAGED = 16;

/**
 * The names in a directory, in the order they lie in. A damaged block does not hide the names in others: its error comes when all
 * that can be read has been told.
 */
export async function* directoryEntries(volume: XfsVolume, inode: Inode): AsyncGenerator<NameEntry> {
  const what = `directory ${inode.number}`;
  if (inode.data.format === 'local') return yield* shortForm(volume, inode);
  const map = new ExtentMap(volume, inode.data, what);
  const blocks = new MappedBytes(volume, map, what);
  const errors: unknown[] = [];
  for await (const block of nameBlocks(volume, map)) {
    try {
      yield* entriesIn(volume, blocks, block, what);
    } catch (error) {
      if (!(error instanceof MabsError && error.kind === 'damaged')) throw error;
      errors.push(error);
      if (errors.length === MAX_DAMAGED) break;
    }
  }
  if (errors.length > 0) throw errors[0];
}

/** The entry of this name: by the index where the directory has one, and by reading all names when the index is damaged. */
export async function findEntry(volume: XfsVolume, inode: Inode, name: Uint8Array): Promise<NameEntry | undefined> {
  if (name.length === 0 || isDots(name)) return undefined;
  if (inode.data.format !== 'local' && !volume.superblock.ignoresCase) {
    try {
      const indexed = await findByHash(volume, inode, name);
      if (indexed !== 'no index') return indexed;
    } catch (error) {
      if (!(error instanceof MabsError && error.kind === 'damaged')) throw error;
    }
  }
  let folded: NameEntry | undefined;
  for await (const entry of directoryEntries(volume, inode)) {
    if (isEqual(entry.name, name)) return entry;
    if (volume.superblock.ignoresCase && isEqual(lowerCase(entry.name), lowerCase(name))) folded ??= entry;
  }
  return folded;
}

function shortForm(volume: XfsVolume, { data, size, number }: Inode): Generator<NameEntry> {
  return shortFormEntries(data.bytes, size, volume.superblock.hasFileTypes, `directory ${number}`);
}

/** Numbers of the blocks that a directory's names begin in. */
async function* nameBlocks(volume: XfsVolume, map: ExtentMap): AsyncGenerator<number> {
  const { blockSize, directoryBlockSize } = volume.superblock;
  const step = directoryBlockSize / blockSize;
  for await (const { start, count } of map.within(0, INDEX_OFFSET / blockSize)) {
    for (let block = Math.ceil(start / step) * step; block < start + count; block += step) yield block;
  }
}

async function* entriesIn(volume: XfsVolume, blocks: MappedBytes, block: number, what: string): AsyncGenerator<NameEntry> {
  const { blockSize, directoryBlockSize } = volume.superblock;
  const where = `${what}: block ${block}`;
  const { bytes, position } = await blocks.blocks(block, directoryBlockSize / blockSize);
  const { isSingle } = checkDirectoryBlock(volume, bytes, position, where);
  for (const entry of directoryBlockEntries(volume, bytes, isSingle, where)) if (!isDots(entry.name)) yield entry;
}

async function findByHash(volume: XfsVolume, inode: Inode, name: Uint8Array): Promise<NameEntry | undefined | 'no index'> {
  const { blockSize, directoryBlockSize, hasFileTypes } = volume.superblock;
  const what = `directory ${inode.number}`;
  const blocks = new MappedBytes(volume, new ExtentMap(volume, inode.data, what), what);
  // A directory of one block has its index in it: reading that block is reading all.
  if (inode.size <= directoryBlockSize) return 'no index';
  for await (const address of positionsByHash(volume, blocks, nameHash(name), what)) {
    if (address >= INDEX_OFFSET) throw damaged(`${what}: its index leads outside`);
    const within = address % directoryBlockSize;
    const block = (address - within) / blockSize;
    const { bytes, position } = await blocks.blocks(block, directoryBlockSize / blockSize);
    checkDirectoryBlock(volume, bytes, position, `${what}: block ${block}`);
    const found = entryAt(bytes, new DataView(bytes.buffer, bytes.byteOffset), within, bytes.length, hasFileTypes);
    if (!found) throw damaged(`${what}: its index leads to no entry`);
    if (isEqual(found.name.name, name)) return found.name;
  }
  return undefined;
}

const isEqual = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((byte, index) => byte === b[index]);
const lowerCase = (name: Uint8Array) => name.map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte));
