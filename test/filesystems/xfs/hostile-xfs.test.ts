import { expect, it } from '@jest/globals';
import { fuzzFileSystem } from '../../builders/file-system-fuzzer.ts';
import { xfsFuzzTarget } from '../../builders/xfs-fuzz-target.ts';

it('answers spoiled volumes with what is right, or with typed errors', async () => {
  const { problems, outcomes } = await fuzzFileSystem(xfsFuzzTarget, { seed: 20_261_123, rounds: 500 });
  expect(problems).toEqual([]);
  expect(Object.keys(outcomes)).toEqual(expect.arrayContaining(['MABS-FS-DAMAGED', 'read']));
}, 60_000);
