import type { ByteRange } from '../lib/byte-range.ts';
import { type ClusterHeap, ClusterRuns, clusterPosition, isCluster } from './cluster-runs.ts';
import { FileSystemDamagedError } from './file-system.ts';
import type { Volume } from './volume.ts';

/** Divisible by 3, 4 and 512: entries of 12 bits never lie across windows. */
const WINDOW_BYTES = 48 * 1024;
const WINDOWS_KEPT = 8;

export interface ClusterTableOptions {
  /** What it is called in errors: `vfat` or `exfat`. */
  readonly system: string;
  readonly heap: ClusterHeap;
  readonly position: number;
  /** Bits of an entry; of FAT32's 32 bits only 28 count. */
  readonly bits: 12 | 16 | 28 | 32;
}

/**
 * A file allocation table: for each cluster the one that follows it in its file. Read in windows of 48 KiB, of which a few are kept. The
 * entries of all clusters of the heap lie within the volume.
 */
export class ClusterTable {
  readonly #volume: Volume;
  readonly #options: ClusterTableOptions;
  readonly #windows = new Map<number, Promise<Uint8Array>>();
  readonly #perWindow: number;
  /** From here on an entry ends its chain. */
  readonly #endFrom: number;

  constructor(volume: Volume, options: ClusterTableOptions) {
    this.#volume = volume;
    this.#options = options;
    this.#perWindow = WINDOW_BYTES / bytesOf(options.bits);
    this.#endFrom = 2 ** options.bits - 8;
  }

  /** The entry of a cluster, or one of the two before the first. */
  async entry(cluster: number): Promise<number> {
    const number = Math.floor(cluster / this.#perWindow);
    return this.#entryIn(await this.#window(number), cluster - number * this.#perWindow);
  }

  /**
   * The chain from `first` on, neighbours joined, up to `most` clusters. Throws a FileSystemDamagedError where it leaves the heap, comes
   * to a cluster that is free or bad, or runs in a circle.
   */
  async *chain(first: number, most: number): AsyncGenerator<{ first: number; count: number }> {
    const { heap } = this.#options;
    if (!isCluster(heap, first)) throw this.#damaged(`a chain begins with ${first}, which is no cluster`);
    const circle = new CircleWatch(first);
    let number = Math.floor(first / this.#perWindow);
    let window = await this.#window(number);
    let start = first;
    for (let cluster = first, left = most - 1; left > 0; left -= 1) {
      if (Math.floor(cluster / this.#perWindow) !== number) {
        number = Math.floor(cluster / this.#perWindow);
        window = await this.#window(number);
      }
      const next = this.#entryIn(window, cluster - number * this.#perWindow);
      const ends = next >= this.#endFrom;
      if (ends || next !== cluster + 1) yield { first: start, count: cluster + 1 - start };
      if (ends) return;
      if (!isCluster(heap, next)) throw this.#damaged(`cluster ${cluster} is followed by ${next}, which is free, bad or none`);
      if (circle.closesAt(next)) throw this.#damaged(`the chain from cluster ${first} runs in a circle`);
      if (next !== cluster + 1) start = next;
      cluster = next;
      if (left === 1) yield { first: start, count: cluster + 1 - start };
    }
    if (most === 1) yield { first, count: 1 };
  }

  /** The whole of `chain`. */
  async runs(first: number, most: number): Promise<ClusterRuns> {
    const runs = new ClusterRuns();
    for await (const run of this.chain(first, most)) runs.append(run.first, run.count);
    return runs;
  }

  /** The clusters whose entry is zero, as ranges of the volume: ascending and apart. */
  async *free(): AsyncGenerator<ByteRange> {
    const { heap } = this.#options;
    const end = heap.clusterCount + 2;
    let start = 0;
    for (let number = 0, cluster = 2; cluster < end; number++) {
      const window = await this.#readWindow(number);
      const windowEnd = Math.min(end, (number + 1) * this.#perWindow);
      for (; cluster < windowEnd; cluster++) {
        const free = this.#entryIn(window, cluster - number * this.#perWindow) === 0;
        if (free && start === 0) start = cluster;
        if (free || start === 0) continue;
        yield rangeOf(heap, start, cluster);
        start = 0;
      }
    }
    if (start !== 0) yield rangeOf(heap, start, end);
  }

  #entryIn(window: Uint8Array, index: number): number {
    const { bits } = this.#options;
    if (bits === 12) {
      const at = (index * 3) >> 1;
      const pair = window[at]! | (window[at + 1]! << 8);
      return index & 1 ? pair >> 4 : pair & 0xfff;
    }
    if (bits === 16) return window[index * 2]! | (window[index * 2 + 1]! << 8);
    const at = index * 4;
    const value = (window[at]! | (window[at + 1]! << 8) | (window[at + 2]! << 16) | (window[at + 3]! << 24)) >>> 0;
    return bits === 28 ? value & 0x0fff_ffff : value;
  }

  async #window(number: number): Promise<Uint8Array> {
    const kept = this.#windows.get(number);
    if (kept) return await kept;
    const window = this.#readWindow(number);
    this.#windows.set(number, window);
    window.catch(() => this.#windows.delete(number));
    if (this.#windows.size > WINDOWS_KEPT) this.#windows.delete(this.#windows.keys().next().value!);
    return await window;
  }

  async #readWindow(number: number): Promise<Uint8Array> {
    const { heap, position, bits } = this.#options;
    const offset = number * WINDOW_BYTES;
    const tableBytes = clusterTableBytes(heap.clusterCount, bits);
    const window = new Uint8Array(Math.min(WINDOW_BYTES, tableBytes - offset));
    await this.#volume.read(position + offset, window);
    return window;
  }

  #damaged(what: string): FileSystemDamagedError {
    return new FileSystemDamagedError(this.#options.system, what);
  }
}

/** Bytes of a table for as many clusters, the two entries before the first included. */
export const clusterTableBytes = (clusterCount: number, bits: ClusterTableOptions['bits']) => Math.ceil((clusterCount + 2) * bytesOf(bits));

const bytesOf = (bits: ClusterTableOptions['bits']) => (bits === 28 ? 4 : bits / 8);

const rangeOf = (heap: ClusterHeap, from: number, to: number): ByteRange => ({
  offset: clusterPosition(heap, from),
  length: (to - from) * heap.clusterSize,
});

/** Notices a circle after at most three times its length, in constant memory (R. P. Brent, 1980). */
class CircleWatch {
  #marked: number;
  #steps = 0;
  #until = 1;

  constructor(first: number) {
    this.#marked = first;
  }

  closesAt(cluster: number): boolean {
    if (cluster === this.#marked) return true;
    this.#steps += 1;
    if (this.#steps === this.#until) {
      this.#marked = cluster;
      this.#steps = 0;
      this.#until *= 2;
    }
    return false;
  }
}
