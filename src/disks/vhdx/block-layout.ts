import type { VhdxMetadata } from './vhdx-metadata.ts';
import { MIB } from './vhdx-units.ts';

/** Bytes in a sector bitmap block: one bit for each logical sector of a chunk. */
export const BITMAP_BLOCK_SIZE = MIB;
const SECTORS_PER_CHUNK = 2 ** 23;

/** How the virtual disk is cut into blocks, and where their entries stand in the table (MS-VHDX 2.5, BAT). */
export interface BlockLayout {
  readonly blockSize: number;
  readonly sectorSize: number;
  readonly virtualSize: number;
  /** Payload blocks, the last of which may reach past the virtual size. */
  readonly blocks: number;
  /** Payload blocks that share one sector bitmap block. */
  readonly blocksPerChunk: number;
  /** Entries that the table must have. */
  readonly entries: number;
}

export function layoutOf({ blockSize, logicalSectorSize, virtualSize, parent }: VhdxMetadata): BlockLayout {
  const blocks = Math.ceil(virtualSize / blockSize);
  const blocksPerChunk = (SECTORS_PER_CHUNK * logicalSectorSize) / blockSize;
  // A differencing disk has its last bitmap's entry too, so its last chunk is a full one.
  const entries = parent ? Math.ceil(blocks / blocksPerChunk) * (blocksPerChunk + 1) : batIndexOf(blocks - 1, blocksPerChunk) + 1;
  return { blockSize, sectorSize: logicalSectorSize, virtualSize, blocks, blocksPerChunk, entries };
}

/**
 * Where a payload block's entry stands in the block allocation table. The table comes in chunks, and each full chunk ends
 * with one entry more, for its sector bitmap; so every chunk that lies before a block moves its entry one place further on.
 */
export function batIndexOf(block: number, blocksPerChunk: number): number {
  return block + Math.floor(block / blocksPerChunk);
}

/** Where the entry of the sector bitmap of a payload block's chunk stands. */
export function bitmapBatIndexOf(block: number, blocksPerChunk: number): number {
  const chunk = Math.floor(block / blocksPerChunk);
  return chunk * (blocksPerChunk + 1) + blocksPerChunk;
}

/** Where in its chunk's bitmap block the bits of a payload block begin, in bytes, and how many bytes they are. */
export function bitmapSliceOf(block: number, layout: BlockLayout): { readonly offset: number; readonly length: number } {
  const length = layout.blockSize / layout.sectorSize / 8;
  return { offset: (block % layout.blocksPerChunk) * length, length };
}
