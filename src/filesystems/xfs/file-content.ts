import { type ByteRange, normalizeRanges } from '../../lib/byte-range.ts';
import { ReadPastEndError } from '../../lib/byte-source.ts';
import type { FileContent } from '../file-system.ts';
import type { ExtentMap } from './extent-map.ts';
import type { XfsVolume } from './xfs-volume.ts';

/** The bytes of a file that lie in extents. Holes and what was allocated but never written read as zero. */
export function fileContent(volume: XfsVolume, map: ExtentMap, sizeBytes: number, what: string): FileContent {
  const { blockSize } = volume.superblock;

  /** Written parts of a range of the file: where they begin, and where they lie on the volume. */
  async function* written({ offset, length }: ByteRange): AsyncGenerator<ByteRange & { readonly position: number }> {
    const end = offset + length;
    for await (const extent of map.within(Math.floor(offset / blockSize), Math.ceil(end / blockSize))) {
      if (extent.unwritten) continue;
      const run = volume.runAt(extent.block, extent.count, what);
      const start = extent.start * blockSize;
      const from = Math.max(offset, start);
      const until = Math.min(end, start + extent.count * blockSize);
      yield { offset: from, length: until - from, position: run.block * blockSize + from - start };
    }
  }

  return {
    sizeBytes,
    async read(offset, into) {
      const inside = Number.isSafeInteger(offset) && offset >= 0 && into.length <= sizeBytes - offset;
      if (!inside) throw new ReadPastEndError(what, offset, into.length, sizeBytes);
      into.fill(0);
      for await (const part of written({ offset, length: into.length })) {
        const at = part.offset - offset;
        await volume.read(part.position, into.subarray(at, at + part.length));
      }
    },
    async data({ offset, length }) {
      const end = Math.min(offset + length, sizeBytes);
      return end <= offset ? [] : normalizeRanges(await Array.fromAsync(written({ offset, length: end - offset })));
    },
  };
}
