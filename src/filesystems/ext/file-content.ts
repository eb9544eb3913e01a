import { type ByteRange, normalizeRanges } from '../../lib/byte-range.ts';
import { ReadPastEndError } from '../../lib/byte-source.ts';
import type { FileContent } from '../file-system.ts';
import type { ExtVolume } from './ext-volume.ts';
import type { Inode } from './inode.ts';
import { listBlockRuns } from './list-block-runs.ts';

/** The content of an inode that lies in blocks. */
export function blockContent(ext: ExtVolume, inode: Inode, sizeBytes: number): FileContent {
  const { blockSize } = ext.superblock;
  const runsWithin = (offset: number, end: number) => listBlockRuns(ext, inode, Math.floor(offset / blockSize), Math.ceil(end / blockSize));
  return {
    sizeBytes,
    async read(offset, into) {
      checkRange(inode, sizeBytes, offset, into.length);
      const end = offset + into.length;
      let done = offset;
      for await (const { first, count, block, isWritten } of runsWithin(offset, end)) {
        const start = Math.max(first * blockSize, offset);
        const stop = Math.min((first + count) * blockSize, end);
        if (!isWritten) continue;
        into.fill(0, done - offset, start - offset);
        await ext.volume.read(block * blockSize + start - first * blockSize, into.subarray(start - offset, stop - offset));
        done = stop;
      }
      into.fill(0, done - offset);
    },
    async data({ offset, length }) {
      const end = Math.min(offset + length, sizeBytes);
      const found: ByteRange[] = [];
      if (offset >= end) return found;
      for await (const { first, count, isWritten } of runsWithin(offset, end)) {
        const start = Math.max(first * blockSize, offset);
        if (isWritten) found.push({ offset: start, length: Math.min((first + count) * blockSize, end) - start });
      }
      return normalizeRanges(found);
    },
  };
}

/** The content of an inode that is held in memory. */
export function memoryContent(inode: Inode, bytes: Uint8Array): FileContent {
  return {
    sizeBytes: bytes.length,
    async read(offset, into) {
      checkRange(inode, bytes.length, offset, into.length);
      into.set(bytes.subarray(offset, offset + into.length));
    },
    async data({ offset, length }) {
      const end = Math.min(offset + length, bytes.length);
      return offset < end ? [{ offset, length: end - offset }] : [];
    },
  };
}

function checkRange({ number }: Inode, sizeBytes: number, offset: number, length: number): void {
  const inside = Number.isSafeInteger(offset) && offset >= 0 && length <= sizeBytes - offset;
  if (!inside) throw new ReadPastEndError(`inode ${number}`, offset, length, sizeBytes);
}
