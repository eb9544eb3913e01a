import { open } from 'node:fs/promises';
import { alignedBuffer } from '../../src/lib/aligned-buffer.ts';
import type { ByteRange } from '../../src/lib/byte-range.ts';

const SECTOR = 512;
const PIECE = 4 * 1024 * 1024;

/** Sectors in which two files of one length differ, as ranges. */
export async function differingRanges(before: string, after: string): Promise<ByteRange[]> {
  await using old = await open(before, 'r');
  await using now = await open(after, 'r');
  const { size } = await now.stat();
  if ((await old.stat()).size !== size) throw new Error(`${before} and ${after} are not of one length`);
  const [a, b] = [alignedBuffer(PIECE), alignedBuffer(PIECE)];
  const ranges: { offset: number; length: number }[] = [];
  for (let at = 0; at < size; at += PIECE) {
    const length = Math.min(PIECE, size - at);
    await old.read(a, 0, length, at);
    await now.read(b, 0, length, at);
    if (Buffer.compare(a.subarray(0, length), b.subarray(0, length)) === 0) continue;
    for (let sector = 0; sector < length; sector += SECTOR) {
      const end = Math.min(sector + SECTOR, length);
      if (Buffer.compare(a.subarray(sector, end), b.subarray(sector, end)) === 0) continue;
      const last = ranges.at(-1);
      if (last && last.offset + last.length === at + sector) last.length += end - sector;
      else ranges.push({ offset: at + sector, length: end - sector });
    }
  }
  return ranges;
}

/** How many bytes the blocks have that ranges touch. */
export function roundedBytes(ranges: readonly ByteRange[], blockSize: number): number {
  const blocks = new Set<number>();
  for (const { offset, length } of ranges) {
    for (let block = Math.floor(offset / blockSize); block * blockSize < offset + length; block += 1) blocks.add(block);
  }
  return blocks.size * blockSize;
}
