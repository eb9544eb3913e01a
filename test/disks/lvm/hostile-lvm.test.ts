import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { fuzzDisks } from '../../builders/disk-fuzzer.ts';
import { lvmFuzzTarget } from '../../builders/lvm-fuzz-target.ts';

it('hostile physical volumes are read or left out, within a second', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mabs-fuzz-'));
  try {
    const report = await fuzzDisks(lvmFuzzTarget, folder, { seed: 1, rounds: 600 });
    expect(report.problems).toEqual([]);
    expect(report.outcomes.opened).toBeGreaterThan(50);
  } finally {
    await rm(folder, { recursive: true });
  }
});
