import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { fuzzBytes } from '../builders/byte-fuzzer.ts';
import { labSamples } from '../builders/lab-samples.ts';
import { poolSamples } from '../builders/pool-samples.ts';

it('a pool with any one object spoiled is read or refused with a typed error, within a second', async () => {
  const report = await fuzzBytes(await poolSamples(), { seed: 1, rounds: 250 });
  expect(report.problems).toEqual([]);
  expect(report.outcomes.read).toBeGreaterThan(20);
});

it('the files of a simulated VM are read or refused with a typed error', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mabs-fuzz-'));
  try {
    const report = await fuzzBytes(labSamples(folder), { seed: 1, rounds: 500 });
    expect(report.problems).toEqual([]);
    expect(report.outcomes.read).toBeGreaterThan(20);
  } finally {
    await rm(folder, { recursive: true });
  }
});
