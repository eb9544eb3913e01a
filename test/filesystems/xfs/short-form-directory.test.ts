import { expect, it } from '@jest/globals';
import { shortFormEntries } from '../../../src/filesystems/xfs/short-form-directory.ts';

const entriesOf = (bytes: Uint8Array, hasFileTypes: boolean, size = bytes.length) => [
  ...shortFormEntries(bytes, size, hasFileTypes, 'directory 1'),
];
const named = (text: string) => new Uint8Array(Buffer.from(text));

it('inode numbers take four bytes each', () => {
  const bytes = Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 128]), entry('a', 1, 4), entry('bc', 2, 4)]);
  expect(entriesOf(bytes, false)).toEqual([
    { name: named('a'), inode: 1 },
    { name: named('bc'), inode: 2 },
  ]);
});

it('inode numbers take eight bytes each where one of them needs it', () => {
  const bytes = Buffer.concat([Buffer.from([2, 1, 0, 0, 0, 0, 0, 0, 0, 128]), entry('a', 2 ** 40, 8, 2), entry('b', 2, 8, 7)]);
  expect(entriesOf(bytes, true)).toEqual([
    { name: named('a'), inode: 2 ** 40, type: 'dir' },
    { name: named('b'), inode: 2, type: 'link' },
  ]);
});

it('what ends outside is damaged', () => {
  const bytes = Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 128]), entry('a', 1, 4)]);
  for (const size of [0, 1, 5, 8, 12, bytes.length]) expect(() => entriesOf(bytes, false, size)).toThrow(/^xfs: directory 1/);
  expect(() => entriesOf(Buffer.from([1, 0, 0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 1]), false)).toThrow(/ends outside/);
});

function entry(name: string, inode: number, size: 4 | 8, type?: number): Buffer {
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(inode));
  return Buffer.concat([
    Buffer.from([name.length, 0, 0]),
    Buffer.from(name),
    Buffer.from(type === undefined ? [] : [type]),
    number.subarray(8 - size),
  ]);
}
