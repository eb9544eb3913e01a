/** A mapping: blocks of a file to blocks of the file system. */
export interface Extent {
  /** The first block within the file. */
  readonly start: number;
  readonly count: number;
  /** File system block number. */
  readonly block: number;
  /** Allocated, but reads as zero. */
  readonly unwritten: boolean;
}

export const EXTENT_SIZE = 16;

/**
 * A packed extent of 128 bits: 1 flag, 54 of the block within the file, 52 of the file system block, 21 of the count
 * (XFS Algorithms & Data Structures, Data Extents). A start beyond 2^53 is not exact; whoever uses it sees that it is no safe integer.
 */
export function extentAt(view: DataView, at: number): Extent {
  const [first, second, third, fourth] = [view.getUint32(at), view.getUint32(at + 4), view.getUint32(at + 8), view.getUint32(at + 12)];
  return {
    start: (first & 0x7fff_ffff) * 2 ** 23 + (second >>> 9),
    count: fourth & 0x1f_ffff,
    block: (second & 0x1ff) * 2 ** 43 + third * 2 ** 11 + (fourth >>> 21),
    unwritten: first >>> 31 === 1,
  };
}
