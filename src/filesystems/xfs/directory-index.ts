import { struct, u16be } from '../../lib/struct.ts';
import { type DaBlock, daBlock, daNode, INDEX_LEAF_MAGICS } from './da-block.ts';
import type { MappedBytes } from './mapped-bytes.ts';
import { damaged } from './xfs-damage.ts';
import type { XfsVolume } from './xfs-volume.ts';

/** Where the index begins within a directory (`XFS_DIR2_LEAF_OFFSET`); before it lie the names. */
export const INDEX_OFFSET = 2 ** 35;
/** XFS's trees of this kind have at most five levels (`XFS_DA_NODE_MAXDEPTH`). */
const MAX_LEVELS = 5;
/** Leaves that one hash may fill; as many would hold names without end. */
const MAX_LEAVES = 64;
const LEAF = struct(4, { count: u16be(0) });
const UNUSED = 0;

/**
 * Where entries whose names have this hash lie: byte positions within the directory, in the order of the index, which is searched
 * from its root down (XFS Algorithms & Data Structures, Node Directories).
 */
export async function* positionsByHash(volume: XfsVolume, directory: MappedBytes, hash: number, what: string): AsyncGenerator<number> {
  const root = INDEX_OFFSET / volume.superblock.blockSize;
  let leaf: DaBlock | undefined = await leafFor(volume, directory, hash, root, what);
  for (let leaves = 0; leaf; leaves++) {
    if (leaves === MAX_LEAVES) throw damaged(`${what}: its index leads around`);
    const { positions, mayGoOn } = positionsIn(volume, leaf, hash, what);
    yield* positions;
    leaf = mayGoOn && leaf.next !== 0 ? await readBlock(volume, directory, leaf.next, what) : undefined;
  }
}

/** The first leaf that may hold the hash. */
async function leafFor(volume: XfsVolume, directory: MappedBytes, hash: number, root: number, what: string): Promise<DaBlock | undefined> {
  let block = await readBlock(volume, directory, root, what);
  for (let levels = 0; levels <= MAX_LEVELS; levels++) {
    const node = daNode(volume, block, what);
    if (!node) return block;
    const child = node.children.find((one) => one.hash >= hash);
    if (!child) return undefined;
    block = await readBlock(volume, directory, child.block, what);
  }
  throw damaged(`${what}: its index has too many levels`);
}

async function readBlock(volume: XfsVolume, directory: MappedBytes, block: number, what: string): Promise<DaBlock> {
  const { blockSize, directoryBlockSize } = volume.superblock;
  if (block < INDEX_OFFSET / blockSize) throw damaged(`${what}: its index leads to block ${block}, which holds names`);
  const { bytes, position } = await directory.blocks(block, directoryBlockSize / blockSize);
  return daBlock(volume, bytes, position, `${what}: block ${block} of its index`);
}

/** `mayGoOn`: the hash is the last one here, so the next leaf may have it too. */
function positionsIn(
  volume: XfsVolume,
  { bytes, at, magic }: DaBlock,
  hash: number,
  what: string,
): { positions: number[]; mayGoOn: boolean } {
  const { version } = volume.superblock;
  if (!INDEX_LEAF_MAGICS[version].includes(magic)) throw damaged(`${what}: its index holds something else`);
  const { count } = LEAF.read(bytes, at);
  const from = version === 5 ? at + 8 : at + 4;
  if (from + count * 8 > bytes.length) throw damaged(`${what}: its index claims ${count} names in a block`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let [low, high] = [0, count];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (view.getUint32(from + middle * 8) < hash) low = middle + 1;
    else high = middle;
  }
  const positions: number[] = [];
  let index = low;
  for (; index < count && view.getUint32(from + index * 8) === hash; index++) {
    const address = view.getUint32(from + index * 8 + 4);
    // A name that is gone leaves its hash behind; addresses count eight bytes.
    if (address !== UNUSED) positions.push(address * 8);
  }
  return { positions, mayGoOn: index === count };
}
