import type { DiskMapReader } from './disk-map-reader.ts';
import { MAP_FAN_OUT, nodesAt } from './map-geometry.ts';
import { digestAt, isZeroDigest } from './map-page.ts';

export interface LeafPage {
  /** Its number among the pages of level 1. */
  readonly index: number;
  /** A full page; not to be changed. */
  readonly page: Uint8Array;
}

/** The leaf pages of a map that are not zero and name blocks from `firstBlock` to before `endBlock`, ascending. */
export async function* leafPages(map: DiskMapReader, firstBlock = 0, endBlock = map.geometry.blocks): AsyncGenerator<LeafPage> {
  if (endBlock > firstBlock) yield* pagesBelow(map, map.geometry.levels, 0, firstBlock, endBlock);
}

async function* pagesBelow(map: DiskMapReader, level: number, index: number, first: number, end: number): AsyncGenerator<LeafPage> {
  const page = await map.page(level, index);
  if (!page) return;
  if (level === 1) {
    yield { index, page };
    return;
  }
  const blocksEach = MAP_FAN_OUT ** (level - 1);
  const from = Math.max(index * MAP_FAN_OUT, Math.floor(first / blocksEach));
  const to = Math.min((index + 1) * MAP_FAN_OUT, Math.ceil(end / blocksEach), nodesAt(map.geometry.blocks, level - 1));
  for (let child = from; child < to; child += 1) {
    if (!isZeroDigest(digestAt(page, child % MAP_FAN_OUT))) yield* pagesBelow(map, level - 1, child, first, end);
  }
}
