import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { appendTracking, type ChangeTracking, changesSince, readTracking, startTracking } from '../../../src/hosts/lab/change-tracking.ts';

const SIZE = 10_000;
const step = (from: string, to: string, ...ranges: [number, number][]) => ({ from, to, ranges });
const since = (base: string | undefined, current: string, ...history: ChangeTracking['history']) =>
  changesSince({ tracking: { current, history } }, base, SIZE);

describe('the ranges between two ids', () => {
  it('are the union of the steps on the way', () =>
    expect(since('A', 'C', step('A', 'B', [0, 10], [50, 10]), step('B', 'C', [5, 10], [9000, 1000]))).toEqual({
      ranges: [
        { offset: 0, length: 15 },
        { offset: 50, length: 10 },
        { offset: 9000, length: 1000 },
      ],
    }));

  it('are none when nothing changed, whatever the history holds', () =>
    expect(since('C', 'C', step('A', 'A'), step('C', 'C', [0, 99_999]))).toEqual({ ranges: [] }));

  it('leave out steps before the base and beside the way', () =>
    expect(since('B', 'C', step('A', 'B', [0, 10]), step('X', 'Y', [1, 1]), step('B', 'C', [20, 5]))).toEqual({
      ranges: [{ offset: 20, length: 5 }],
    }));

  it.each([
    { what: 'no base', answer: since(undefined, 'B', step('A', 'B')), why: /no change tracking id/ },
    { what: 'an unknown id', answer: since('Z', 'B', step('A', 'B')), why: /does not know the id Z/ },
    { what: 'a gap', answer: since('A', 'D', step('A', 'B'), step('C', 'D')), why: /gap after B/ },
    { what: 'a circle', answer: since('A', 'Z', step('A', 'B'), step('B', 'A')), why: /circle/ },
    { what: 'a fork', answer: since('A', 'C', step('A', 'B'), step('B', 'C'), step('B', 'D')), why: /two steps/ },
    { what: 'a range past the end', answer: since('A', 'B', step('A', 'B', [9999, 2])), why: /past the end/ },
  ])('are unknown with $what', ({ answer, why }) => expect(answer).toEqual({ unknown: expect.stringMatching(why) }));

  it('are found in a long history', () => {
    const history = Array.from({ length: 200_000 }, (_, index) => step(`T${index}`, `T${index + 1}`, [index % 9000, 1]));
    expect(changesSince({ tracking: { current: 'T200000', history } }, 'T0', SIZE)).toEqual({ ranges: [{ offset: 0, length: 9000 }] });
  });

  it('cover every byte that was written since', () =>
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.tuple(fc.nat(9000), fc.nat(1000)), { maxLength: 4 }), { maxLength: 8 }),
        fc.nat(8),
        (writes, from) => {
          const history = writes.map((ranges, index) => step(`T${index}`, `T${index + 1}`, ...ranges));
          const base = Math.min(from, writes.length);
          const answer = since(`T${base}`, `T${writes.length}`, ...history);
          const expected = new Set(
            writes
              .slice(base)
              .flatMap((ranges) => ranges.flatMap(([offset, length]) => Array.from({ length }, (_, index) => offset + index))),
          );
          const actual = new Set(
            'ranges' in answer ? answer.ranges.flatMap(({ offset, length }) => Array.from({ length }, (_, index) => offset + index)) : [],
          );
          expect(actual).toEqual(expected);
        },
      ),
      { numRuns: 50 },
    ));
});

describe('a change tracking file', () => {
  let folder: string;
  const disk = () => join(folder, 'disk.vhdx');
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mabs-rct-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('that is missing is told', async () =>
    expect(await readTracking(join(folder, 'none'))).toEqual({ unknown: expect.stringContaining('no change tracking file') }));

  it.each([
    ['not JSON', '{"current":'],
    ['empty', ''],
    ['an array', '[]'],
    ['without an id', '{"history":[]}'],
    ['without a history', '{"current":"A"}'],
    ['with a negative range', '{"current":"B","history":[{"from":"A","to":"B","ranges":[[-1,5]]}]}'],
    ['with a range above 2^53', '{"current":"B","history":[{"from":"A","to":"B","ranges":[[0,1e300]]}]}'],
    ['with half a range', '{"current":"B","history":[{"from":"A","to":"B","ranges":[[0]]}]}'],
  ])('that is %s is told, not thrown', async (_, content) => {
    await writeFile(`${disk()}.rct.json`, content);
    expect(await readTracking(disk())).toEqual({ unknown: expect.stringContaining('change tracking file') });
  });

  it('grows by one step a write and keeps keys that others put there', async () => {
    await writeFile(`${disk()}.rct.json`, '{"current":"A","history":[],"note":"kept"}');
    await appendTracking(
      disk(),
      [
        { offset: 5, length: 5 },
        { offset: 8, length: 4 },
      ],
      'B',
    );
    expect(await readTracking(disk())).toEqual({
      tracking: { current: 'B', note: 'kept', history: [{ from: 'A', to: 'B', ranges: [[5, 7]] }] },
    });
    await startTracking(disk(), 'N');
    expect(await readTracking(disk())).toEqual({ tracking: { current: 'N', history: [] } });
  });

  it('is not begun by a write where there is none', async () => {
    expect(await appendTracking(join(folder, 'untracked'), [], 'B')).toBeUndefined();
    expect(await readTracking(join(folder, 'untracked'))).toHaveProperty('unknown');
  });
});
