import { type ByteRange, normalizeRanges } from '../lib/byte-range.ts';
import { ReadPastEndError } from '../lib/byte-source.ts';
import type { FileContent } from './file-system.ts';
import type { Volume } from './volume.ts';

/** Where the clusters of a volume lie: cluster 2 is the first, as in FAT and exFAT. */
export interface ClusterHeap {
  /** Position of cluster 2. */
  readonly position: number;
  readonly clusterSize: number;
  /** How many there are: the last is number `clusterCount + 1`. All of them lie within the volume. */
  readonly clusterCount: number;
}

const FIRST_CLUSTER = 2;

export const isCluster = ({ clusterCount }: ClusterHeap, cluster: number) =>
  cluster >= FIRST_CLUSTER && cluster < FIRST_CLUSTER + clusterCount;

/** Position of a cluster that there is. */
export const clusterPosition = ({ position, clusterSize }: ClusterHeap, cluster: number) =>
  position + (cluster - FIRST_CLUSTER) * clusterSize;

/** The clusters of a file in its order, neighbours joined: 8 bytes for each piece. */
export class ClusterRuns {
  #first = new Uint32Array(8);
  /** How many clusters precede a run and what is in it: ends of runs, counted in clusters of the file. */
  #end = new Uint32Array(8);
  #runs = 0;

  /** Clusters in all. */
  get total(): number {
    return this.#runs === 0 ? 0 : this.#end[this.#runs - 1]!;
  }

  append(first: number, count: number): void {
    const last = this.#runs - 1;
    if (last >= 0 && this.#first[last]! + this.#lengthOf(last) === first) {
      this.#end[last]! += count;
      return;
    }
    if (this.#runs === this.#first.length) {
      this.#first = grown(this.#first);
      this.#end = grown(this.#end);
    }
    this.#end[this.#runs] = this.total + count;
    this.#first[this.#runs] = first;
    this.#runs += 1;
  }

  /** Where clusters `from` to `from + count` of the file lie, in the file's order. */
  *pieces(from: number, count: number): Generator<{ first: number; count: number }> {
    const to = Math.min(from + count, this.total);
    for (let run = this.#runOf(from), at = from; at < to; run++) {
      const start = this.#end[run]! - this.#lengthOf(run);
      const end = Math.min(this.#end[run]!, to);
      yield { first: this.#first[run]! + at - start, count: end - at };
      at = end;
    }
  }

  #lengthOf(run: number): number {
    return this.#end[run]! - (run === 0 ? 0 : this.#end[run - 1]!);
  }

  /** The run that holds a cluster of the file: the first that ends after it. */
  #runOf(cluster: number): number {
    let low = 0;
    let high = this.#runs;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#end[middle]! > cluster) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Where the clusters lie on the volume, normalized. */
export function clusterRanges(heap: ClusterHeap, runs: ClusterRuns): ByteRange[] {
  const ranges: ByteRange[] = [];
  for (const { first, count } of runs.pieces(0, runs.total)) {
    ranges.push({ offset: clusterPosition(heap, first), length: count * heap.clusterSize });
  }
  return normalizeRanges(ranges);
}

/** The content of a file in clusters, of which there are enough. What lies past `validBytes` was never written: it reads as zero. */
export function clusterContent(
  volume: Volume,
  heap: ClusterHeap,
  { runs, sizeBytes, validBytes = sizeBytes }: { runs: ClusterRuns; sizeBytes: number; validBytes?: number },
): FileContent {
  const { clusterSize } = heap;
  return {
    sizeBytes,
    async read(offset, into) {
      const inside = Number.isSafeInteger(offset) && offset >= 0 && into.length <= sizeBytes - offset;
      if (!inside) throw new ReadPastEndError('the file', offset, into.length, sizeBytes);
      const length = Math.max(0, Math.min(into.length, validBytes - offset));
      const from = Math.floor(offset / clusterSize);
      let skip = offset - from * clusterSize;
      let done = 0;
      for (const { first, count } of runs.pieces(from, Math.ceil((skip + length) / clusterSize))) {
        const piece = into.subarray(done, Math.min(length, done + count * clusterSize - skip));
        await volume.read(clusterPosition(heap, first) + skip, piece);
        done += piece.length;
        skip = 0;
      }
      into.fill(0, length);
    },
    async data({ offset, length }) {
      return normalizeRanges([{ offset, length: Math.min(length, validBytes - offset) }]);
    },
  };
}

function grown(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}
