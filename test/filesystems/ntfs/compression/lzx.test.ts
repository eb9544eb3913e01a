import { describe, expect, it } from '@jest/globals';
import { decompressLzx } from '../../../../src/filesystems/ntfs/compression/lzx.ts';
import { undoCallTranslation } from '../../../../src/filesystems/ntfs/compression/lzx-call-translation.ts';
import { BitWriter } from '../../../builders/compressed-samples.ts';

const damaged = expect.objectContaining({ code: 'MABS-FS-DAMAGED' });
const expand = (input: Uint8Array, size: number) => {
  const into = new Uint8Array(size);
  decompressLzx(input, into);
  return into;
};
const header = (writer: BitWriter, type: number, size: number) => writer.put(type, 3).put(0, 1).put(size, 16);
const recent = [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0];

/** A block of bytes as they are; odd ones have a byte more. */
function plainBlock(writer: BitWriter, bytes: readonly number[], distances = recent): BitWriter {
  return header(writer, 3, bytes.length)
    .align()
    .raw(...distances, ...bytes, ...(bytes.length % 2 ? [0] : []));
}

/** Lengths of codes as runs of zeros, with lengths of 1 between them. The code of the runs: 18 as 0, 16 as 10, 17 as 11. */
function putLengths(writer: BitWriter, ...zeros: number[]): void {
  for (let symbol = 0; symbol < 20; symbol++) writer.put(symbol === 18 ? 1 : symbol === 16 || symbol === 17 ? 2 : 0, 4);
  for (const [index, count] of zeros.entries()) {
    if (index > 0) writer.put(0b10, 2);
    let left = count;
    while (left >= 20) {
      const run = Math.min(left, 51);
      writer.put(0, 1).put(run - 20, 5);
      left -= run;
    }
    if (left > 0) writer.put(0b11, 2).put(left - 4, 4);
  }
}

/** A verbatim block of `letters` times `a`, then a match that repeats the last byte nine times more. */
function lettersBlock(writer: BitWriter, letters: number): BitWriter {
  header(writer, 1, letters + 9);
  putLengths(writer, 97, 158);
  putLengths(writer, 7, 232);
  putLengths(writer, 0, 248);
  for (let letter = 0; letter < letters; letter++) writer.put(0, 1);
  return writer.put(1, 1).put(0, 1);
}

describe('LZX', () => {
  it('expands blocks that are stored as they are, with odd sizes', () => {
    const writer = plainBlock(plainBlock(new BitWriter(), [1, 2, 3, 4, 5]), [6, 7]);
    expect(expand(writer.bytes, 7)).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6, 7));
  });

  it.each(Array.from({ length: 17 }, (_, letters) => letters + 1))(
    'finds a stored block behind %i letters and a match, wherever the word ends',
    (letters) => {
      const writer = plainBlock(lettersBlock(new BitWriter(), letters), [9, 8]);
      expect(expand(writer.bytes, letters + 11)).toEqual(Uint8Array.of(...Array<number>(letters + 9).fill(97), 9, 8));
    },
  );

  it('goes on behind a stored block with its recent distances', () => {
    const writer = plainBlock(new BitWriter(), [97, 98, 99], [3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
    expect(Buffer.from(expand(lettersBlock(writer, 1).align().bytes, 13)).toString()).toBe('abcabcabcabca');
  });

  it('translates calls back: targets within the file, and those before it', () => {
    const chunk = new Uint8Array(40);
    const view = new DataView(chunk.buffer);
    chunk[3] = 0xe8;
    view.setInt32(4, 100, true);
    chunk[10] = 0xe8;
    view.setInt32(11, -10, true);
    chunk[16] = 0xe8;
    view.setInt32(17, 12_000_000, true);
    chunk[30] = 0xe8;
    view.setInt32(31, 100, true);
    undoCallTranslation(chunk);
    expect([4, 11, 17, 31].map((at) => view.getInt32(at, true))).toEqual([97, 11_999_990, 12_000_000, 100]);
  });

  it.each([
    ['has a block of an unknown type', header(new BitWriter(), 0, 5).align().bytes, 5],
    ['has a block larger than the chunk', plainBlock(new BitWriter(), [1, 2, 3]).bytes, 2],
    ['has an empty block', plainBlock(new BitWriter(), []).bytes, 2],
    ['has a stored block that is cut off', plainBlock(new BitWriter(), [1, 2, 3]).bytes.subarray(0, -2), 3],
    ['has a recent distance of 0', plainBlock(new BitWriter(), [1], Array<number>(12).fill(0)).bytes, 1],
    ['has a match before the chunk', lettersBlock(new BitWriter(), 0).align().bytes, 9],
    ['ends in its codes', lettersBlock(new BitWriter(), 1).bytes.subarray(0, 20), 10],
    ['is empty', new Uint8Array(0), 1],
    ['stands for more than 32 KiB', new Uint8Array(9), 32_769],
  ])('refuses what %s', (_, input, size) => {
    expect(() => expand(input, size)).toThrow(damaged);
  });
});
