import type { ExtentMap } from './extent-map.ts';
import { damaged } from './xfs-damage.ts';
import type { XfsVolume } from './xfs-volume.ts';

/** Structures that lie in the blocks of a fork: directories, attributes. */
export class MappedBytes {
  readonly #volume: XfsVolume;
  readonly #map: ExtentMap;
  readonly #what: string;

  constructor(volume: XfsVolume, map: ExtentMap, what: string) {
    this.#volume = volume;
    this.#map = map;
    this.#what = what;
  }

  /** `count` blocks from `start` on, at most 64 KiB, and where the first of them lies on the volume. A hole is damage. */
  async blocks(start: number, count: number): Promise<{ readonly bytes: Uint8Array; readonly position: number }> {
    const { blockSize } = this.#volume.superblock;
    const bytes = new Uint8Array(count * blockSize);
    let position: number | undefined;
    let next = start;
    for await (const extent of this.#map.within(start, start + count)) {
      if (extent.start > next || extent.unwritten) break;
      const length = Math.min(extent.start + extent.count, start + count) - next;
      const run = this.#volume.runAt(extent.block + next - extent.start, length, this.#what);
      position ??= run.block * blockSize;
      const at = (next - start) * blockSize;
      await this.#volume.read(run.block * blockSize, bytes.subarray(at, at + length * blockSize));
      next += length;
    }
    if (position === undefined || next < start + count) throw damaged(`${this.#what}: nothing lies at its block ${next}`);
    return { bytes, position };
  }
}
