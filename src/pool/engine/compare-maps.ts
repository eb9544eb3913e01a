import type { ByteRange } from '../../lib/byte-range.ts';
import { throwIfAborted } from '../../lib/errors.ts';
import type { ManifestDisk } from '../../model/manifest.ts';
import type { EngineOptions } from '../pool.ts';
import { DiskMapReader } from './disk-map-reader.ts';
import type { ReadableBlocks } from './engine-ports.ts';
import { MAP_FAN_OUT, mapGeometry, nodesAt } from './map-geometry.ts';
import { digestAt, ZERO_DIGEST } from './map-page.ts';

/**
 * Where two stored disks differ, in whole blocks, by their maps alone: neither pages whose digests are equal are read, nor any block
 * of data. Where sizes differ, a disk counts as zero behind its end; a last block that an end cuts differs from a whole one.
 * Both have blocks of one size. Normalized.
 */
export async function compareMaps(
  blocks: ReadableBlocks,
  before: ManifestDisk,
  after: ManifestDisk,
  { signal }: Pick<EngineOptions, 'signal'> = {},
): Promise<ByteRange[]> {
  const { blockSize } = before;
  if (after.blockSize !== blockSize) throw new RangeError('disks with blocks of different sizes cannot be compared by their maps');
  const ports = await blocks.openPorts();
  try {
    const read = ({ root, virtualSize }: ManifestDisk) =>
      new DiskMapReader(ports, Buffer.from(root, 'hex'), mapGeometry(virtualSize, blockSize));
    const end = Math.max(before.virtualSize, after.virtualSize);
    const ranges: { offset: number; length: number }[] = [];
    for await (const block of differingBlocks(read(before), read(after), signal)) {
      const offset = block * blockSize;
      const last = ranges.at(-1);
      if (last && last.offset + last.length === offset) last.length += Math.min(blockSize, end - offset);
      else ranges.push({ offset, length: Math.min(blockSize, end - offset) });
    }
    return ranges;
  } finally {
    await ports[Symbol.asyncDispose]();
  }
}

/** The numbers of the blocks whose digests differ, ascending. */
async function* differingBlocks(a: DiskMapReader, b: DiskMapReader, signal: AbortSignal | undefined): AsyncGenerator<number> {
  const blocks = Math.max(a.geometry.blocks, b.geometry.blocks);
  const levels = Math.max(a.geometry.levels, b.geometry.levels);
  const sameShape = a.geometry.levels === b.geometry.levels;
  if (blocks > 0 && !(sameShape && Buffer.compare(a.root, b.root) === 0)) yield* below(levels, 0);

  async function* below(level: number, index: number): AsyncGenerator<number> {
    throwIfAborted(signal);
    const [pageA, pageB] = await Promise.all([a.page(level, index), b.page(level, index)]);
    const first = index * MAP_FAN_OUT;
    const count = Math.min(MAP_FAN_OUT, nodesAt(blocks, level - 1) - first);
    for (let i = 0; i < count; i += 1) {
      if (Buffer.compare(childOf(pageA, i), childOf(pageB, i)) === 0) continue;
      if (level === 1) yield first + i;
      else yield* below(level - 1, first + i);
    }
  }
}

const childOf = (page: Uint8Array | undefined, index: number) => (page ? digestAt(page, index) : ZERO_DIGEST);
