import { createHash } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { decompressLznt1 } from '../../../../src/filesystems/ntfs/compression/lznt1.ts';
import { compressedSamples } from '../../../builders/compressed-samples.ts';

const expand = (input: readonly number[], size = 8192) => {
  const into = new Uint8Array(size).fill(0xee);
  return into.subarray(0, decompressLznt1(Uint8Array.from(input), into));
};
const ascii = (text: string) => [...Buffer.from(text)];

it('expands what NTFS-3G compressed', async () => {
  for (const { stored, size, sha256 } of (await compressedSamples()).filter(({ name }) => name === 'lznt1')) {
    const into = new Uint8Array(65_536);
    expect(decompressLznt1(stored, into)).toBeGreaterThanOrEqual(size);
    expect(createHash('sha256').update(into.subarray(0, size)).digest('hex')).toBe(sha256);
  }
});

it('expands the example of [MS-XCA] 3.3', () => {
  const compressed = `38b0884623200020 4720410010a24701 a045204400084501 507900c045200524
    138805b4024a44ef 0358028c09160148 4500be009e000401 189000`.replaceAll(/\s/g, '');
  const first = 'F# F# G A A G F# E D D E F# F# E E F# F# G A A G F# E D D E F# E D D ';
  const second = 'E E F# D E F# G F# D E F# G F# E D E A F# F# G A A G F# E D D E F# E D D\0';
  expect(Buffer.from(expand([...Buffer.from(compressed, 'hex')])).toString()).toBe(first + second);
});

it('takes chunks that are stored as they are, and ends at a header of zero', () => {
  expect(expand([0x02, 0x30, 1, 2, 3, 0, 0, 9, 9])).toEqual(Uint8Array.of(1, 2, 3));
  expect(expand([])).toEqual(new Uint8Array(0));
});

it('fills a short chunk with zeros where another follows, and leaves what is beyond', () => {
  const into = new Uint8Array(8192).fill(0xee);
  expect(decompressLznt1(Uint8Array.of(0x00, 0x30, 7, 0x00, 0x30, 8), into)).toBe(4097);
  expect([into[0], into[1], into[4095], into[4096], into[4097]]).toEqual([7, 0, 0, 8, 0xee]);
});

it('repeats from within the chunk, overlapping itself', () => {
  expect(expand([0x05, 0xb0, 0x08, ...ascii('abc'), 0x06, 0x20])).toEqual(Uint8Array.from(ascii('abcabcabcabc')));
});

it.each([
  ['a chunk without signature', [0x01, 0x00, 1, 2]],
  ['a chunk that is cut off', [0x05, 0xb0, 0]],
  ['a match before the chunk', [0x02, 0xb0, 0x01, 0x00, 0x00]],
  ['a match that is cut off', [0x02, 0xb0, 0x02, 1, 0]],
])('refuses %s', (_, input) => {
  expect(() => expand(input)).toThrow(expect.objectContaining({ code: 'MABS-FS-DAMAGED' }));
});

it('refuses what is larger than its place', () => {
  expect(() => expand([0x02, 0x30, 1, 2, 3], 2)).toThrow(expect.objectContaining({ code: 'MABS-FS-DAMAGED' }));
  expect(() => expand([0x04, 0xb0, 0x02, 1, 0xff, 0x0f, 0], 100)).toThrow(expect.objectContaining({ code: 'MABS-FS-DAMAGED' }));
});

it('leaves alone what follows a full unit in its last cluster', () => {
  const chunk = [0xff, 0x3f, ...new Array<number>(4096).fill(7)];
  expect(expand([...chunk, 0x12, 0x34, 0x56], 4096)).toEqual(expand(chunk, 4096));
});
