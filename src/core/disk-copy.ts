import type { WritableDisk } from '../disks/disk-format.ts';
import type { DiskSource } from '../disks/disk-source.ts';
import { alignedBuffer } from '../lib/aligned-buffer.ts';
import type { ByteRange } from '../lib/byte-range.ts';
import { throwIfAborted } from '../lib/errors.ts';
import { dataRuns } from '../lib/zeros.ts';

export interface CopyOptions {
  /** Bytes of the virtual disk that are behind, and all of them. */
  readonly onProgress?: (progress: { readonly doneBytes: number; readonly totalBytes: number }) => void;
  readonly signal?: AbortSignal;
}

const PIECE = 4 * 1024 * 1024;
const WINDOW = 1024 * 1024 * 1024;
/** Zeros are left out in whole pieces of this many bytes: what file systems allocate, and no more work than needed. */
const HOLE = 64 * 1024;

/**
 * Copies what a disk holds to a new, all-zero one at least as large: only what its extents call data, in pieces, without the zeros
 * in them; the next piece is read while one is written. Answers the bytes written.
 */
export async function copyDisk(source: DiskSource, target: WritableDisk, { onProgress, signal }: CopyOptions = {}): Promise<number> {
  const buffers = [alignedBuffer(PIECE), alignedBuffer(PIECE)];
  let writing: Promise<number> = Promise.resolve(0);
  let bytesWritten = 0;
  let turn = 0;
  try {
    for await (const piece of dataPieces(source)) {
      throwIfAborted(signal);
      const bytes = buffers[turn++ % 2]!.subarray(0, piece.length);
      await source.read(piece.offset, bytes);
      bytesWritten += await writing;
      onProgress?.({ doneBytes: piece.offset, totalBytes: source.sizeBytes });
      writing = writeData(target, piece.offset, bytes);
    }
  } finally {
    // A write under way ends before its file is closed, whatever else failed.
    await writing.catch(() => {});
  }
  bytesWritten += await writing;
  throwIfAborted(signal);
  onProgress?.({ doneBytes: source.sizeBytes, totalBytes: source.sizeBytes });
  return bytesWritten;
}

/** What is not known to be zero, joined across extents, in pieces that end at multiples of the piece size. */
async function* dataPieces(source: DiskSource): AsyncGenerator<ByteRange> {
  for (let offset = 0; offset < source.sizeBytes; offset += WINDOW) {
    let start = -1;
    let end = -1;
    for (const extent of await source.extents({ offset, length: Math.min(WINDOW, source.sizeBytes - offset) })) {
      if (extent.from === 'zero') continue;
      if (extent.offset !== end) {
        yield* cut(start, end);
        start = extent.offset;
      }
      end = extent.offset + extent.length;
    }
    yield* cut(start, end);
  }
}

function* cut(start: number, end: number): Generator<ByteRange> {
  for (let at = start; at < end; ) {
    const next = Math.min(end, (Math.floor(at / PIECE) + 1) * PIECE);
    yield { offset: at, length: next - at };
    at = next;
  }
}

async function writeData(target: WritableDisk, offset: number, bytes: Uint8Array): Promise<number> {
  let written = 0;
  for (const { start, end } of dataRuns(bytes, HOLE)) {
    await target.write(offset + start, bytes.subarray(start, end));
    written += end - start;
  }
  return written;
}
