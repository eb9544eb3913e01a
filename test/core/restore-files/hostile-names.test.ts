import { describe, expect, it } from '@jest/globals';
import { HOSTILE_CLASSES, hostileNames } from '../../builders/hostile-names.ts';
import { restoreHostileNames } from '../../builders/hostile-restore.ts';

it('there are two hundred classes of hostile names, and two thousand names', () => {
  expect(HOSTILE_CLASSES.length).toBeGreaterThanOrEqual(200);
  expect(hostileNames().length).toBeGreaterThanOrEqual(2000);
});

const all = { what: 'two thousand hostile names', names: hostileNames(), folders: HOSTILE_CLASSES.filter((_, index) => index % 8 === 0) };
const folders = { what: 'folders of each class of hostile names', names: ['..'], folders: HOSTILE_CLASSES };

describe.each([
  { ...all, rules: 'posix', anchors: 'descriptors', origin: 'bytes' },
  { ...all, rules: 'windows', anchors: 'descriptors', origin: 'utf16' },
  { ...folders, rules: 'posix', anchors: 'paths', origin: 'utf16' },
  { ...folders, rules: 'windows', anchors: 'descriptors', origin: 'bytes' },
] as const)('$what under $rules rules, held by $anchors, from $origin', ({ what: _, ...restore }) => {
  it('are all recovered, none outside the target, each with a way back to its own', async () => {
    expect(await restoreHostileNames(restore)).toEqual([]);
  });
});
