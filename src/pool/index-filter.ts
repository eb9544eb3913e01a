import { FILTER_BLOCK_BYTES } from './index-format.ts';

const BITS_PER_ENTRY = 10;
const BLOCK_BITS = FILTER_BLOCK_BYTES * 8;

/** How many 64-byte blocks a filter for so many entries has. */
export function filterBlocksFor(entries: number): number {
  return Math.max(1, Math.ceil((entries * BITS_PER_ENTRY) / BLOCK_BITS));
}

/**
 * A blocked Bloom filter: each digest has one 64-byte block and six bits in it, so that a question touches one cache line. About 1 %
 * of the digests that were never added are answered with yes. Bytes 4 to 8 of the digest choose the block, 8 to 16 the bits.
 */
export function addToFilter(filter: Uint8Array, digest: Uint8Array, at = 0): void {
  const base = blockOf(filter, digest, at);
  for (const word of [wordAt(digest, at + 8), wordAt(digest, at + 12)]) {
    for (let shift = 0; shift < 27; shift += 9) {
      const bit = (word >>> shift) & 511;
      filter[base + (bit >>> 3)]! |= 1 << (bit & 7);
    }
  }
}

export function filterMayHave(filter: Uint8Array, digest: Uint8Array): boolean {
  const base = blockOf(filter, digest, 0);
  return hasBits(filter, base, wordAt(digest, 8)) && hasBits(filter, base, wordAt(digest, 12));
}

function hasBits(filter: Uint8Array, base: number, word: number): boolean {
  for (let shift = 0; shift < 27; shift += 9) {
    const bit = (word >>> shift) & 511;
    if ((filter[base + (bit >>> 3)]! & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}

function blockOf(filter: Uint8Array, digest: Uint8Array, at: number): number {
  const blocks = filter.length / FILTER_BLOCK_BYTES;
  return Math.floor((wordAt(digest, at + 4) * blocks) / 2 ** 32) * FILTER_BLOCK_BYTES;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
