import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { Codec } from '../block.ts';

export interface CodedBlock {
  readonly codec: Codec;
  /** For `stored`, the block itself and not a copy. */
  readonly coded: Uint8Array;
}

/** Compresses a block with zstd, or leaves it as it is where that gains nothing. */
export function codeBlock(block: Uint8Array, level: number): CodedBlock {
  if (looksIncompressible(block)) return { codec: Codec.stored, coded: block };
  // Pieces of the default 16 KiB cost up to twice the time: the whole result fits in one.
  const coded = zstdCompressSync(block, {
    params: { [constants.ZSTD_c_compressionLevel]: level },
    chunkSize: block.length + 1024,
    pledgedSrcSize: block.length,
  });
  return coded.length < block.length ? { codec: Codec.zstd, coded } : { codec: Codec.stored, coded: block };
}

/** The block that was coded; an Error of zlib when the bytes are not zstd or hold more than `rawLength`. */
export function decodeBlock({ codec, coded }: CodedBlock, rawLength: number): Uint8Array {
  if (codec === Codec.stored) return coded;
  return zstdDecompressSync(coded, { chunkSize: Math.max(64, rawLength), maxOutputLength: Math.max(1, rawLength) });
}

/** Whether a coded block gives back a block that `isRight` accepts; false also when it cannot be decoded at all. */
export function decodesTo(block: CodedBlock, rawLength: number, isRight: (raw: Uint8Array) => boolean): boolean {
  let raw: Uint8Array;
  try {
    raw = decodeBlock(block, rawLength);
  } catch {
    return false;
  }
  return raw.length === rawLength && isRight(raw);
}

const SAMPLES = 8;
const SAMPLE_BYTES = 512;
const SAMPLED = SAMPLES * SAMPLE_BYTES;
/** The sum of squares of a flat histogram, 15 % and the noise of chance above it. */
const FLAT = 1.15 * (SAMPLED ** 2 / 256) + SAMPLED;
const histogram = new Uint32Array(256);

/**
 * Whether samples of a block have a flat histogram of bytes, as encrypted and compressed data do: a few microseconds against the
 * milliseconds that zstd would take to find out.
 */
export function looksIncompressible(block: Uint8Array): boolean {
  if (block.length < SAMPLED * 2) return false;
  histogram.fill(0);
  const step = Math.floor((block.length - SAMPLE_BYTES) / (SAMPLES - 1));
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const end = sample * step + SAMPLE_BYTES;
    for (let i = sample * step; i < end; i += 1) histogram[block[i]!]! += 1;
  }
  let squares = 0;
  for (let value = 0; value < 256; value += 1) squares += histogram[value]! ** 2;
  return squares < FLAT;
}
