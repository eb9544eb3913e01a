import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RunList } from '../../../src/filesystems/ntfs/run-list.ts';

const VOLUME = 0x100000;

function decoded(pairs: readonly number[], end: number) {
  const runs = new RunList(VOLUME);
  runs.append(Uint8Array.from(pairs), end);
  return [...runs.within(0, end)];
}

describe('a run list', () => {
  it.each([
    { what: 'one run', pairs: [0x21, 0x18, 0x34, 0x56, 0], runs: [{ vcn: 0, lcn: 0x5634, clusters: 0x18 }] },
    {
      what: 'a step back',
      pairs: [0x11, 4, 0x20, 0x11, 2, 0xf0, 0],
      runs: [
        { vcn: 0, lcn: 0x20, clusters: 4 },
        { vcn: 4, lcn: 0x10, clusters: 2 },
      ],
    },
    {
      what: 'a hole between two runs, which the next one counts past',
      pairs: [0x11, 1, 0x20, 0x01, 0x10, 0x11, 1, 2, 0],
      runs: [
        { vcn: 0, lcn: 0x20, clusters: 1 },
        { vcn: 1, lcn: undefined, clusters: 16 },
        { vcn: 17, lcn: 0x22, clusters: 1 },
      ],
    },
    { what: 'nothing', pairs: [0], runs: [] },
    { what: 'no end but that of its attribute', pairs: [0x11, 3, 0x20], runs: [{ vcn: 0, lcn: 0x20, clusters: 3 }] },
  ])('decodes $what', ({ pairs, runs }) => {
    expect(
      decoded(
        pairs,
        runs.reduce((sum, { clusters }) => sum + clusters, 0),
      ),
    ).toEqual(runs);
  });

  it.each([
    { what: 'a run of no length', pairs: [0x11, 0, 0x20, 0], end: 0 },
    { what: 'a run of a negative length', pairs: [0x11, 0xff, 0x20, 0], end: 255 },
    { what: 'a run before the volume', pairs: [0x11, 1, 0xf0, 0], end: 1 },
    { what: 'a run past the volume', pairs: [0x31, 2, 0xff, 0xff, 0x0f, 0], end: 2 },
    { what: 'fewer clusters than its attribute', pairs: [0x11, 1, 0x20, 0], end: 2 },
    { what: 'more clusters than its attribute', pairs: [0x11, 3, 0x20, 0], end: 2 },
    { what: 'a number that is cut off', pairs: [0x41, 1, 0x20], end: 1 },
    { what: 'a length of nine bytes', pairs: [0x19, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x20, 0], end: 1 },
    { what: 'a length above 2^53', pairs: [0x18, 0, 0, 0, 0, 0, 0, 0, 0x7f, 0x20, 0], end: 1 },
  ])('is damaged by $what', ({ pairs, end }) => {
    expect(() => decoded(pairs, end)).toThrow(/ntfs: a run list/);
  });

  it('gives any part of what was put into it', () => {
    const run = fc.record({ clusters: fc.integer({ min: 1, max: 300 }), lcn: fc.option(fc.integer({ min: 1, max: VOLUME - 300 })) });
    fc.assert(
      fc.property(fc.array(run, { maxLength: 12 }), fc.nat(3000), fc.nat(3000), (runs, first, length) => {
        const list = new RunList(VOLUME);
        let end = 0;
        const expected: (number | undefined)[] = [];
        for (const { clusters, lcn } of runs) {
          for (let index = 0; index < clusters; index += 1) expected.push(lcn === null ? undefined : lcn + index);
          end += clusters;
          list.append(encoded(clusters, lcn), end);
        }
        const found: (number | undefined)[] = [];
        for (const { vcn, clusters, lcn } of list.within(first, first + length)) {
          expect(vcn).toBe(first + found.length);
          for (let index = 0; index < clusters; index += 1) found.push(lcn === undefined ? undefined : lcn + index);
        }
        expect(found).toEqual(expected.slice(first, first + length));
      }),
    );
  });
});

function encoded(clusters: number, lcn: number | null): Uint8Array {
  const length = [clusters & 0xff, clusters >> 8];
  return lcn === null ? Uint8Array.of(0x02, ...length, 0) : Uint8Array.of(0x42, ...length, lcn & 0xff, (lcn >> 8) & 0xff, lcn >> 16, 0, 0);
}
