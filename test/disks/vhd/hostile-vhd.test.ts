import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { fuzzDisks } from '../../builders/disk-fuzzer.ts';
import { vhdFuzzTarget } from '../../builders/vhd-fuzz-target.ts';
import { volumesFuzzTarget } from '../../builders/volumes-fuzz-target.ts';

it.each([
  { what: 'VHD images', target: vhdFuzzTarget },
  { what: 'partition tables and volumes', target: volumesFuzzTarget },
])('hostile $what are read or refused with a typed error, within a second', async ({ target }) => {
  const folder = await mkdtemp(join(tmpdir(), 'mabs-fuzz-'));
  try {
    const report = await fuzzDisks(target, folder, { seed: 1, rounds: 600 });
    expect(report.problems).toEqual([]);
    expect(report.outcomes.opened).toBeGreaterThan(50);
  } finally {
    await rm(folder, { recursive: true });
  }
});
