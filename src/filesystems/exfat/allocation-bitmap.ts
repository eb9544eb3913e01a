import type { ByteRange } from '../../lib/byte-range.ts';
import { type ClusterHeap, clusterPosition } from '../cluster-runs.ts';
import type { FileContent } from '../file-system.ts';

const WINDOW_BYTES = 64 * 1024;
const ALL_USED = 0xff;

/** Bytes of the bitmap of a heap: a bit for each cluster. */
export const bitmapBytes = ({ clusterCount }: ClusterHeap) => Math.ceil(clusterCount / 8);

/**
 * The clusters whose bit is 0, as ranges of the volume: ascending and apart (exFAT specification 1.00, 7.1). `bitmap` has a bit for each.
 */
export async function* freeInBitmap(bitmap: FileContent, heap: ClusterHeap): AsyncGenerator<ByteRange> {
  let start = -1;
  for (let from = 0; from < bitmapBytes(heap); from += WINDOW_BYTES) {
    const window = new Uint8Array(Math.min(WINDOW_BYTES, bitmapBytes(heap) - from));
    await bitmap.read(from, window);
    const end = Math.min((from + window.length) * 8, heap.clusterCount);
    for (let index = from * 8; index < end; index++) {
      const byte = window[(index >>> 3) - from]!;
      const free = (byte & (1 << (index & 7))) === 0;
      if (free && start < 0) start = index;
      if (!free && start >= 0) {
        yield rangeOf(heap, start, index);
        start = -1;
      }
      if (byte === ALL_USED && start < 0) index |= 7;
    }
  }
  if (start >= 0) yield rangeOf(heap, start, heap.clusterCount);
}

const rangeOf = (heap: ClusterHeap, from: number, to: number): ByteRange => ({
  offset: clusterPosition(heap, from + 2),
  length: (to - from) * heap.clusterSize,
});
