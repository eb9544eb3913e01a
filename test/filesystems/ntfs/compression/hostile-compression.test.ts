import { expect, it } from '@jest/globals';
import { fuzzCompression } from '../../../builders/compression-fuzzer.ts';

it('answers spoiled data with bytes or typed errors, and writes nowhere else', async () => {
  const { problems, outcomes } = await fuzzCompression({ seed: 20_261_123, rounds: 1500 });
  expect(problems).toEqual([]);
  expect(Object.keys(outcomes).sort()).toEqual(['MABS-FS-DAMAGED', 'read']);
}, 60_000);
