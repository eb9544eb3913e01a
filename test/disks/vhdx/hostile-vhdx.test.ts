import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { fuzzDisks } from '../../builders/disk-fuzzer.ts';
import { vhdxFuzzTarget } from '../../builders/vhdx-fuzz-target.ts';

it('refuses spoiled images with typed errors, at once, and opens those that are harmless', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mabs-fuzz-'));
  try {
    const report = await fuzzDisks(vhdxFuzzTarget, folder, { seed: 1, rounds: 500 });
    expect(report.problems).toEqual([]);
    expect(report.outcomes.opened).toBeGreaterThan(50);
    expect(Object.keys(report.outcomes).length).toBeGreaterThan(6);
  } finally {
    await rm(folder, { recursive: true });
  }
});
