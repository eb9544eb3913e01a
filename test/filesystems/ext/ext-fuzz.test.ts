import { expect, it } from '@jest/globals';
import { extFuzzTarget } from '../../builders/ext-fuzz-target.ts';
import { fuzzFileSystem } from '../../builders/file-system-fuzzer.ts';

it('answers spoiled volumes with what it read or a typed refusal, never with anything else', async () => {
  const { problems, outcomes } = await fuzzFileSystem(extFuzzTarget, { seed: 11, rounds: 1500 });
  expect(problems).toEqual([]);
  expect(outcomes.read).toBeGreaterThan(100);
  expect(outcomes['MABS-FS-DAMAGED']).toBeGreaterThan(100);
});
