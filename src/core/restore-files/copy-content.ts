import type { FileHandle } from 'node:fs/promises';
import type { FileContent } from '../../filesystems/file-system.ts';
import type { ByteRange } from '../../lib/byte-range.ts';
import { throwIfAborted } from '../../lib/errors.ts';
import { dataRuns } from '../../lib/zeros.ts';

export interface CopyContentOptions {
  readonly signal?: AbortSignal;
  readonly onBytes?: (bytes: number) => void;
}

const PIECE = 1024 * 1024;
/** Zeros within data are left out in whole pieces of this size: what file systems allocate. */
const HOLE = 64 * 1024;
const FIRST_WINDOW = 64 * 1024 * 1024;
/** More ranges than this in a window: the next ones are smaller. */
const MANY_RANGES = 4096;

/** Content to copy. */
export type Copied = Pick<FileContent, 'sizeBytes' | 'read' | 'data'>;

/**
 * Copies content into a new, empty file: only what is not a hole, in pieces, without long zeros in them. Answers the bytes written.
 */
export async function copyContent(content: Copied, into: FileHandle, { signal, onBytes }: CopyContentOptions = {}): Promise<number> {
  const { sizeBytes } = content;
  const buffer = Buffer.allocUnsafe(Math.min(PIECE, sizeBytes));
  let written = 0;
  let end = 0;
  for await (const range of dataRanges(content, signal)) {
    for (let done = 0; done < range.length; ) {
      throwIfAborted(signal);
      const piece = buffer.subarray(0, Math.min(buffer.length, range.length - done));
      await content.read(range.offset + done, piece);
      const data = await writeData(into, range.offset + done, piece);
      written += data.written;
      end = Math.max(end, data.end);
      done += piece.length;
      onBytes?.(piece.length);
    }
  }
  // The end may be a hole.
  if (end < sizeBytes) await into.truncate(sizeBytes);
  return written;
}

/** Bytes that a copy would read. */
export async function dataLength(content: Copied, signal?: AbortSignal): Promise<number> {
  let sum = 0;
  for await (const { length } of dataRanges(content, signal)) sum += length;
  return sum;
}

/**
 * What is not a hole, asked for in windows. Where nothing lies they double, so that a file that claims to be of any size costs what it
 * holds.
 */
async function* dataRanges(content: Copied, signal: AbortSignal | undefined): AsyncGenerator<ByteRange> {
  const { sizeBytes } = content;
  let window = FIRST_WINDOW;
  for (let at = 0; at < sizeBytes; ) {
    throwIfAborted(signal);
    const length = Math.min(window, sizeBytes - at);
    const ranges = await content.data({ offset: at, length });
    yield* ranges;
    at += length;
    if (ranges.length === 0) window *= 2;
    else window = ranges.length > MANY_RANGES ? Math.max(PIECE, window / 2) : Math.min(window, FIRST_WINDOW);
  }
}

async function writeData(into: FileHandle, offset: number, bytes: Uint8Array): Promise<{ written: number; end: number }> {
  let written = 0;
  let last = 0;
  for (const { start, end } of dataRuns(bytes, HOLE)) {
    for (let at = start; at < end; ) at += (await into.write(bytes, at, end - at, offset + at)).bytesWritten;
    written += end - start;
    last = end;
  }
  return { written, end: last === 0 ? 0 : offset + last };
}
