import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseFileName } from '../../../src/filesystems/ntfs/file-name.ts';
import { parseReparsePoint, typeOfTag } from '../../../src/filesystems/ntfs/reparse-point.ts';
import { UpCase } from '../../../src/filesystems/ntfs/up-case.ts';

/** A file name attribute. */
function aKey(name: string, { namespace = 1, flags = 0, tag = 0 } = {}): Uint8Array {
  const key = Buffer.alloc(66 + 2 * name.length);
  key.writeUInt32LE(flags, 56);
  key.writeUInt32LE(tag, 60);
  key[64] = name.length;
  key[65] = namespace;
  key.write(name, 66, 'utf16le');
  return key;
}

describe('a name of NTFS', () => {
  it('is any UTF-16, lone surrogates too', () => {
    const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 255 }).map((codes) => String.fromCharCode(...codes));
    fc.assert(fc.property(units, (name) => expect(parseFileName(aKey(name)).name).toBe(name)));
  });

  it.each([
    { what: 'POSIX', namespace: 0, isShort: false },
    { what: 'Windows', namespace: 1, isShort: false },
    { what: 'DOS', namespace: 2, isShort: true },
    { what: 'both at once', namespace: 3, isShort: false },
  ])('is a short one beside a long one only in the namespace of DOS: $what', ({ namespace, isShort }) => {
    expect(parseFileName(aKey('PROGRA~1', { namespace })).isShort).toBe(isShort);
  });

  it('tells directories and reparse points', () => {
    expect(parseFileName(aKey('x', { flags: 0x1000_0000 }))).toMatchObject({ isDirectory: true, reparseTag: undefined });
    expect(parseFileName(aKey('x', { flags: 0x400, tag: 0xa0000003 }))).toMatchObject({ isDirectory: false, reparseTag: 0xa0000003 });
  });

  it('that is cut off is damage', () => {
    for (const length of [0, 65, 67]) expect(() => parseFileName(aKey('name').subarray(0, length))).toThrow('a file name is cut off');
  });
});

describe('capital letters', () => {
  it('order names as the table of the volume has them, also past the first plane', async () => {
    const upCase = new UpCase(undefined);
    const names = ['abc', 'ABC', 'abd', 'äÖ', 'Äö', '\ud800', '\ud801', 'ab', ''];
    await upCase.prepare(names);
    expect(upCase.compare('abc', 'ABC')).toBe(0);
    expect(upCase.compare('abc', 'abd')).toBeLessThan(0);
    expect(upCase.compare('äÖ', 'Äö')).toBe(0);
    expect(upCase.compare('\ud800', '\ud801')).toBeLessThan(0);
    expect(upCase.compare('ab', 'abc')).toBeLessThan(0);
    expect(upCase.compare('', '')).toBe(0);
  });

  it('are read in the pieces that names need, and each once', async () => {
    const reads: number[] = [];
    const table = {
      sizeBytes: 131_072,
      async read(offset: number, into: Uint8Array) {
        reads.push(offset);
        const view = new DataView(into.buffer);
        // Of this volume every letter is its own capital one.
        for (let unit = 0; unit < into.length / 2; unit += 1) view.setUint16(2 * unit, offset / 2 + unit, true);
      },
      data: async () => [],
    };
    const upCase = new UpCase(table);
    await upCase.prepare(['plain', 'Ωmega', '試験']);
    await upCase.prepare(['more', '驗']);
    expect(reads).toEqual([0, 0x8000 * 2, 0x9000 * 2]);
    expect(upCase.compare('a', 'A')).toBeGreaterThan(0);
  });
});

describe('a reparse point', () => {
  const point = (tag: number, data: Buffer): Uint8Array => {
    const head = Buffer.alloc(8);
    head.writeUInt32LE(tag);
    head.writeUInt16LE(data.length, 4);
    return Buffer.concat([head, data]);
  };

  it('of a link that is damaged has no target', () => {
    const far = Buffer.alloc(16, 0xff);
    for (const data of [Buffer.alloc(0), Buffer.alloc(7), far]) {
      expect(parseReparsePoint(point(0xa0000003, data))).toMatchObject({ kind: 'link', target: '' });
      expect(parseReparsePoint(point(0xa000000c, data))).toMatchObject({ kind: 'link', target: '' });
    }
    expect(parseReparsePoint(new Uint8Array(7))).toEqual({ kind: 'unknown' });
  });

  it.each([0x9000001a, 0x9000101a, 0x9000601a, 0x9000f01a])('of the cloud is known by any of its tags: %d', (tag) => {
    expect(parseReparsePoint(point(tag, Buffer.alloc(4)))).toEqual({ kind: 'cloud' });
  });

  it.each([
    { what: 'an algorithm that is not known', words: [1, 2, 1, 4], kind: 'unknown-wof' },
    { what: 'a provider that is not known', words: [1, 3, 1, 0], kind: 'unknown-wof' },
    { what: 'half of its data', words: [1, 2], kind: 'unknown-wof' },
    { what: 'an image', words: [1, 1], kind: 'wim' },
    { what: 'LZX', words: [1, 2, 1, 1], kind: 'wof' },
  ])('of the overlay filter may name $what', ({ words, kind }) => {
    const data = Buffer.alloc(4 * words.length);
    for (const [index, word] of words.entries()) data.writeUInt32LE(word, 4 * index);
    expect(parseReparsePoint(point(0x80000017, data)).kind).toBe(kind);
  });

  it('makes a link of a folder only where it is one', () => {
    expect([typeOfTag(0xa0000003, true), typeOfTag(0x9000001a, true), typeOfTag(0x80000013, false)]).toEqual(['link', 'dir', 'file']);
  });
});
