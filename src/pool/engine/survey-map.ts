import { DIGEST_BYTES } from '../block.ts';
import type { DiskMapReader } from './disk-map-reader.ts';
import { leafPages } from './leaf-pages.ts';
import { blockLength, MAP_FAN_OUT } from './map-geometry.ts';
import { digestAt, isZeroDigest } from './map-page.ts';

export interface MapSurvey {
  /** Bytes of the blocks that are not zero. */
  readonly dataBytes: number;
  /** For each page that cannot be read, the first leaf page below it (or itself). Only where lost pages are no error. */
  readonly lostLeaves: number[];
}

/** Walks a map: what it names before block `endBlock`, and what of it is lost. */
export async function surveyMap(map: DiskMapReader, endBlock: number): Promise<MapSurvey> {
  let dataBytes = 0;
  const end = Math.min(endBlock, map.geometry.blocks);
  for await (const { index, page } of leafPages(map, 0, end)) {
    for (let i = 0; i < page.length / DIGEST_BYTES && index * MAP_FAN_OUT + i < end; i += 1) {
      if (!isZeroDigest(digestAt(page, i))) dataBytes += blockLength(map.geometry, index * MAP_FAN_OUT + i);
    }
  }
  return { dataBytes, lostLeaves: [...map.lostLeaves] };
}
