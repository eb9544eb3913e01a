import { DIGEST_BYTES } from '../block.ts';
import { MAP_FAN_OUT } from './map-geometry.ts';

/** Leaf pages of the map in a window; at 256 KiB a block they name 1 GiB of disk. */
export const WINDOW_PAGES = 16;
export const WINDOW_SLOTS = WINDOW_PAGES * MAP_FAN_OUT;
/** Most bytes of disk in a chunk: what a worker claims, reads and works on at a time. A block is never cut. */
export const CHUNK_BYTES = 4 * 1024 * 1024;

/** Where a number stands in a row of the table of chunks. */
export const Chunk = { slot: 0, blocks: 1, offset: 2, length: 3, firstExtent: 4, extents: 5, sampled: 6, fields: 7 } as const;

/** Where a number stands in a row of the table of extents: place in the chunk, length, number of the file (OPAQUE: none), position in it. */
export const ExtentRow = { at: 0, length: 1, file: 2, position: 3, fields: 4 } as const;
export const OPAQUE = -1;

/** What became of a block of a window. */
export const BlockState = { untouched: 0, differs: 1 } as const;

/**
 * A part of the work on one disk, in shared memory: chunks that workers claim one by one, and a slot of digest and state for each
 * block of each leaf page concerned. No message is sent for a block or a chunk.
 */
export interface DiskWindow {
  readonly chunkCount: number;
  readonly chunks: Float64Array<SharedArrayBuffer>;
  /** Bytes of a chunk that no extent covers are zero. */
  readonly extents: Float64Array<SharedArrayBuffer>;
  /** The next chunk to claim. */
  readonly cursor: Int32Array<SharedArrayBuffer>;
  /** Digests by slot as the map has them. */
  readonly known: Uint8Array<SharedArrayBuffer>;
  /** Digests by slot as they were found; valid where the state says that it differs. */
  readonly found: Uint8Array<SharedArrayBuffer>;
  readonly states: Uint8Array<SharedArrayBuffer>;
  /** Some extents can only be read or written by the main thread. */
  readonly opaque: boolean;
}

/** Memory of a window, used for one window after another. Its tables grow when they must. */
export class WindowMemory {
  chunks = new Float64Array(sharedBytes(WINDOW_SLOTS * Chunk.fields * 8));
  extents = new Float64Array(sharedBytes(4096 * ExtentRow.fields * 8));
  readonly cursor = new Int32Array(sharedBytes(4));
  readonly known = new Uint8Array(sharedBytes(WINDOW_SLOTS * DIGEST_BYTES));
  readonly found = new Uint8Array(sharedBytes(WINDOW_SLOTS * DIGEST_BYTES));
  readonly states = new Uint8Array(sharedBytes(WINDOW_SLOTS));

  /** Makes room for one more row of an extent. */
  growExtents(rows: number): void {
    if (rows * ExtentRow.fields <= this.extents.length) return;
    const larger = new Float64Array(sharedBytes(this.extents.byteLength * 2));
    larger.set(this.extents);
    this.extents = larger;
  }
}

function sharedBytes(length: number): SharedArrayBuffer {
  return new SharedArrayBuffer(length);
}

/** Claims the next chunk of a window for the calling thread: the place of its row, or -1 when none is left. */
export function claimChunk({ cursor, chunkCount }: DiskWindow): number {
  const chunk = Atomics.add(cursor, 0, 1);
  return chunk < chunkCount ? chunk * Chunk.fields : -1;
}
