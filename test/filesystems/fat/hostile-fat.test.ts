import { expect, it } from '@jest/globals';
import { fatFuzzTarget } from '../../builders/fat-fuzz-target.ts';
import { fuzzFileSystem } from '../../builders/file-system-fuzzer.ts';

it('answers spoiled volumes with what is right, or with typed errors', async () => {
  const { problems, outcomes } = await fuzzFileSystem(fatFuzzTarget, { seed: 20_261_123, rounds: 1500 });
  expect(problems).toEqual([]);
  expect(Object.keys(outcomes).sort()).toEqual(['MABS-FS-DAMAGED', 'read']);
}, 60_000);
