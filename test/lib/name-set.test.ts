import { expect, it } from '@jest/globals';
import { NameSet } from '../../src/lib/name-set.ts';

it('takes each name once, however many there are', () => {
  const set = new NameSet();
  const names = Array.from({ length: 20_000 }, (_, index) => `name ${index}`);
  expect(names.every((name) => set.add(name))).toBe(true);
  expect(names.some((name) => set.add(name))).toBe(false);
  expect(set.has('name 19999')).toBe(true);
  expect(set.has('name 20000')).toBe(false);
});

it('tells halves of surrogate pairs apart', () => {
  const set = new NameSet();
  expect([set.add('\ud800'), set.add('\ud801'), set.add('\ufffd'), set.add('')]).toEqual([true, true, true, true]);
});
