import { createCipheriv, hash } from 'node:crypto';
import type { DiskFormats, OpenImageOptions, WritableDisk } from '../disks/disk-format.ts';
import { checkDiskRange } from '../disks/disk-source.ts';
import { throwIfAborted } from '../lib/errors.ts';
import { openRandomAccess } from '../lib/random-access-file.ts';
import type { CopyOptions } from './disk-copy.ts';

/** What is written: bytes, a file, a stream that ends by itself, zeros, a pattern over and over, or bytes that a seed repeats. */
export type WriteContent =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'stream'; readonly stream: AsyncIterable<Uint8Array> }
  | { readonly kind: 'zero'; readonly length: number }
  | { readonly kind: 'pattern'; readonly pattern: Uint8Array; readonly length: number }
  | { readonly kind: 'random'; readonly seed: string; readonly length: number };

export interface WriteDiskOptions extends CopyOptions {
  readonly image: string;
  readonly offset: number;
  readonly content: WriteContent;
  readonly parent?: string;
}

export interface WriteReport {
  readonly offset: number;
  readonly bytesWritten: number;
}

const PIECE = 4 * 1024 * 1024;

/**
 * Writes into an image in place, durably. Content of known length that does not fit is refused before anything is written; a stream
 * fails where the disk ends, and what came before it is written.
 */
export async function writeDisk(diskFormats: DiskFormats, options: WriteDiskOptions): Promise<WriteReport> {
  const { image, offset, content, parent, onProgress, signal } = options;
  const open: OpenImageOptions = parent === undefined ? {} : { parent };
  await using disk = await diskFormats.openForWriting(image, open);
  const totalBytes = await knownLength(content);
  checkDiskRange(image, { offset, length: totalBytes ?? 0 }, disk.sizeBytes);
  let bytesWritten = 0;
  try {
    for await (const piece of piecesOf(content)) {
      throwIfAborted(signal);
      bytesWritten += await writePiece(disk, offset + bytesWritten, piece);
      onProgress?.({ doneBytes: bytesWritten, totalBytes: totalBytes ?? bytesWritten });
    }
  } finally {
    await disk.flush();
  }
  return { offset, bytesWritten };
}

async function knownLength(content: WriteContent): Promise<number | undefined> {
  if (content.kind === 'stream') return undefined;
  if (content.kind === 'bytes') return content.bytes.length;
  if (content.kind !== 'file') return content.length;
  await using file = await openRandomAccess(content.path, 'r');
  return file.sizeBytes;
}

/** A number stands for as many zeros. */
async function writePiece(disk: WritableDisk, offset: number, piece: Uint8Array | number): Promise<number> {
  if (typeof piece === 'number') {
    await disk.writeZeros({ offset, length: piece });
    return piece;
  }
  await disk.write(offset, piece);
  return piece.length;
}

async function* piecesOf(content: WriteContent): AsyncGenerator<Uint8Array | number> {
  if (content.kind === 'bytes') yield content.bytes;
  if (content.kind === 'file') yield* filePieces(content.path);
  if (content.kind === 'stream') yield* content.stream;
  if (content.kind === 'zero') yield* lengths(content.length);
  if (content.kind === 'pattern') yield* patternPieces(content.pattern, content.length);
  if (content.kind === 'random') yield* randomPieces(content.seed, content.length);
}

async function* filePieces(path: string): AsyncGenerator<Uint8Array> {
  await using file = await openRandomAccess(path, 'r');
  let at = 0;
  for (const length of lengths(file.sizeBytes)) {
    const piece = new Uint8Array(length);
    await file.read(at, piece);
    yield piece;
    at += length;
  }
}

function* patternPieces(pattern: Uint8Array, length: number): Generator<Uint8Array> {
  let at = 0;
  for (const size of lengths(length)) {
    const from = at % pattern.length;
    yield Buffer.alloc(size, Buffer.concat([pattern.subarray(from), pattern.subarray(0, from)]));
    at += size;
  }
}

/** AES in counter mode under a key from the seed: the same bytes for the same seed on every machine, and incompressible. */
function* randomPieces(seed: string, length: number): Generator<Uint8Array> {
  const cipher = createCipheriv('aes-256-ctr', hash('sha256', seed, 'buffer'), Buffer.alloc(16));
  for (const size of lengths(length)) yield cipher.update(Buffer.alloc(size));
}

function* lengths(total: number): Generator<number> {
  for (let at = 0; at < total; at += PIECE) yield Math.min(PIECE, total - at);
}
