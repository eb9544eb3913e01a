import { describe, expect, it } from '@jest/globals';
import { decompressXpressHuffman } from '../../../../src/filesystems/ntfs/compression/xpress-huffman.ts';

const damaged = expect.objectContaining({ code: 'MABS-FS-DAMAGED' });

/** A table of codes that has these bytes and is zero elsewhere, and what follows it. */
function chunkOf(table: Readonly<Record<number, number>>, ...stream: number[]): Uint8Array {
  const chunk = new Uint8Array(256 + stream.length);
  for (const [at, value] of Object.entries(table)) chunk[Number(at)] = value;
  chunk.set(stream, 256);
  return chunk;
}

function expand(input: Uint8Array, size: number): string {
  const into = new Uint8Array(size);
  decompressXpressHuffman(input, into);
  return Buffer.from(into).toString();
}

/** `abc` a hundred times: three literals and a match whose length takes three bytes. */
const repeated = (...stream: number[]) => chunkOf({ 48: 0x30, 49: 0x23, 128: 0x02, 143: 0x20 }, ...stream);

describe('XPRESS Huffman', () => {
  it('expands the first example of [MS-XCA] 3.2', () => {
    const table = {
      48: 0x50,
      ...Object.fromEntries(Array.from({ length: 10 }, (_, at) => [49 + at, 0x55])),
      59: 0x45,
      60: 0x44,
      61: 0x04,
      128: 0x04,
    };
    const stream = [0xd8, 0x52, 0x3e, 0xd7, 0x94, 0x11, 0x5b, 0xe9, 0x19, 0x5f, 0xf9, 0xd6, 0x7c, 0xdf, 0x8d, 0x04, 0, 0, 0, 0];
    expect(expand(chunkOf(table, ...stream), 26)).toBe('abcdefghijklmnopqrstuvwxyz');
  });

  it('expands the second example of [MS-XCA] 3.2, whose match has a long length', () => {
    expect(expand(repeated(0xa8, 0xdc, 0, 0, 0xff, 0x26, 0x01), 300)).toBe('abc'.repeat(100));
  });

  it('takes lengths of four bytes', () => {
    expect(expand(repeated(0xa8, 0xdc, 0, 0, 0xff, 0, 0, 0x26, 0x01, 0, 0), 300)).toBe('abc'.repeat(100));
  });

  it.each([
    ['is shorter than its table', new Uint8Array(255), 1],
    ['has more codes than there can be', chunkOf({ 0: 0x11, 1: 0x11 }, 0, 0), 1],
    ['has no code', chunkOf({}, 0, 0), 1],
    ['has a match past the chunk', repeated(0xa8, 0xdc, 0, 0, 0xff, 0x26, 0x01), 299],
    ['ends too early', repeated(0xa8, 0xdc, 0, 0, 0xff, 0x26), 300],
    ['has a match before the chunk', chunkOf({ 128: 0x11 }, 0, 0), 10],
    ['has a long length that is short', repeated(0xa8, 0xdc, 0, 0, 0xff, 0x0e, 0x00), 300],
    ['stands for more than 64 KiB', repeated(0xa8, 0xdc, 0, 0), 65_537],
  ])('refuses what %s', (_, input, size) => {
    expect(() => expand(input, size)).toThrow(damaged);
  });
});
