import { DIGEST_BYTES } from '../block.ts';

/** Digests in a full page of a disk map. A number of the format: see docs/formats/pool.md. */
export const MAP_FAN_OUT = 256;

/** Bytes of a full page. */
export const MAP_PAGE_BYTES = MAP_FAN_OUT * DIGEST_BYTES;

/**
 * The shape of the map of a disk: how many blocks it names and how high the tree of pages is. Pages of level 1 name blocks of
 * data, pages of level n name pages of level n - 1; the one page of the top level is the root.
 */
export interface MapGeometry {
  readonly virtualSize: number;
  readonly blockSize: number;
  readonly blocks: number;
  /** Levels of pages, at least 1. */
  readonly levels: number;
}

export function mapGeometry(virtualSize: number, blockSize: number): MapGeometry {
  if (!Number.isSafeInteger(virtualSize) || virtualSize < 0) throw new RangeError(`a disk cannot have ${virtualSize} bytes`);
  if (!Number.isSafeInteger(blockSize) || blockSize < 1) throw new RangeError(`a block cannot have ${blockSize} bytes`);
  const blocks = Math.ceil(virtualSize / blockSize);
  let levels = 1;
  while (nodesAt(blocks, levels) > 1) levels += 1;
  return { virtualSize, blockSize, blocks, levels };
}

/** How many pages a level has, or blocks at level 0. */
export function nodesAt(blocks: number, level: number): number {
  return Math.ceil(blocks / MAP_FAN_OUT ** level);
}

/** Bytes of the virtual disk in a block: the block size, but for a last block that the disk's end cuts short. */
export function blockLength(geometry: Pick<MapGeometry, 'virtualSize' | 'blockSize'>, block: number): number {
  return Math.min(geometry.blockSize, geometry.virtualSize - block * geometry.blockSize);
}
