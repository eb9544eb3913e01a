import { createHash } from 'node:crypto';
import type { ByteRange } from '../../lib/byte-range.ts';
import type { ManifestDisk } from '../../model/manifest.ts';
import { DiskMapReader } from './disk-map-reader.ts';
import type { ReadableBlocks } from './engine-ports.ts';
import { MAP_FAN_OUT, mapGeometry, nodesAt } from './map-geometry.ts';

/**
 * Names the content of the blocks that a range touches, by the map alone: where two answers are equal, so are the bytes and where in
 * their blocks they begin. Different answers prove nothing: what lies beside the range in its first and last block counts too, and
 * so does where the disk ends. Reads the pages at both ends of the range, whatever its length.
 */
export async function identifyRange(blocks: ReadableBlocks, disk: ManifestDisk, range: ByteRange): Promise<string> {
  const geometry = mapGeometry(disk.virtualSize, disk.blockSize);
  const first = Math.floor(range.offset / disk.blockSize);
  const end = Math.min(geometry.blocks, Math.ceil((range.offset + range.length) / disk.blockSize));
  const identity = createHash('sha256').update(`${disk.blockSize} ${range.offset % disk.blockSize} ${range.length} ${first}`);
  const ports = await blocks.openPorts();
  try {
    const map = new DiskMapReader(ports, Buffer.from(disk.root, 'hex'), geometry);
    for (const { level, index } of nodesOf(first, end, geometry.levels, geometry.blocks)) {
      identity.update(`${level} `).update(await map.digest(level, index));
    }
  } finally {
    await ports[Symbol.asyncDispose]();
  }
  return identity.digest('hex');
}

/** The fewest nodes of a map that together name exactly the blocks from `first` to before `end`, ascending. */
function* nodesOf(first: number, end: number, levels: number, blocks: number): Generator<{ level: number; index: number }> {
  for (let block = first; block < end; ) {
    let level = 0;
    while (level < levels && fits(block, end, level + 1, blocks)) level += 1;
    yield { level, index: block / MAP_FAN_OUT ** level };
    block += MAP_FAN_OUT ** level;
  }
}

/** Whether the node of a level that begins with this block is within the range; what a disk does not have counts as within. */
function fits(block: number, end: number, level: number, blocks: number): boolean {
  const each = MAP_FAN_OUT ** level;
  return block % each === 0 && (block + each <= end || (end === blocks && block / each < nodesAt(blocks, level)));
}
