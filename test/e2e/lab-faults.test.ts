import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkConsistency } from '../../src/core/check-consistency.ts';
import { checkpoint } from '../../src/core/checkpoint.ts';
import { listPoints } from '../../src/core/points.ts';
import { applyProtect, planProtect } from '../../src/core/protect.ts';
import { recover } from '../../src/core/recover.ts';
import { sync } from '../../src/core/sync.ts';
import type { Pool } from '../../src/pool/pool.ts';
import { aRealHome, type JobHome } from '../builders/job-home.ts';

let home: JobHome<Pool>;
beforeEach(async () => {
  home = await aRealHome([{ name: 'web', disks: 2 }]);
  await applyProtect(home.ports, await planProtect(home.ports, { group: 'servers', members: ['hv1/web'], policy: {} }));
  await sync(home.ports, { all: true });
  for (const offset of [200_000, 700_000, 1_500_000, 3_000_000]) await home.write('web', 0, offset, `written at ${offset}`);
});
afterEach(() => home[Symbol.asyncDispose]());

const JOBS = { checkpoint, 'consistency-check': checkConsistency };
/** Whether a job ends well under a fault; `host-gone` hits whichever call is the second. */
const FAULTS = [
  { fault: 'capture-fails', ends: 'failed' },
  { fault: 'merge-fails', ends: 'ok' },
  { fault: 'tracking-lost', ends: 'ok' },
  { fault: 'tracking-lies', ends: 'ok' },
  { fault: 'disk-read-error', ends: 'failed' },
  { fault: 'host-gone=2', ends: 'failed' },
  { fault: 'vss-fails', ends: 'ok' },
];

/** Every fault under a checkpoint, which begins with a sync; those that concern reading under the other jobs, too. */
const CASES = FAULTS.flatMap(({ fault, ends }) => {
  const jobs: (keyof typeof JOBS)[] = /^(merge|disk|host)/.test(fault) ? ['checkpoint', 'consistency-check'] : ['checkpoint'];
  return jobs.map((job) => ({ fault, ends, job }));
});

describe('a job on a host where something goes wrong', () => {
  it.each(CASES)('$job while $fault: says so, and the next one leaves nothing behind', async ({ fault, ends, job }) => {
    await home.faults('web', fault);
    const { report } = await JOBS[job](home.ports, { all: true });
    expect(report.members).toMatchObject([{ status: ends }]);
    const codes = (await home.ports.catalog.listAlerts()).map(({ code }) => code);
    if (ends === 'failed') expect(codes).toContain('MABS-JOB-FAILED');
    if (fault === 'merge-fails') expect(codes).toContain('MABS-MERGE-PENDING');
    await home.faults('web');
    expect((await checkConsistency(home.ports, { all: true })).report.members).toMatchObject([{ status: 'ok' }]);
    expect(await home.ports.catalog.listAlerts()).toEqual([]);
    const definition = JSON.parse(await readFile(join(home.vm('web').folder, 'vm.json'), 'utf8'));
    expect(definition.state).toBe('running');
    expect((await readdir(home.vm('web').folder)).filter((name) => /avhd|orphan|tmp/.test(name))).toEqual([]);
    await checkpoint(home.ports, { all: true });
    await expectRestoresNow();
  });
});

async function expectRestoresNow(): Promise<void> {
  const point = (await listPoints(home.ports)).at(-1)!;
  const { disks } = await recover(home.ports, { point: point.id, to: `folder:${join(home.folder, 'out')}`, format: 'raw' });
  for (const [index, { path }] of disks.entries()) expect((await readFile(path)).equals(await home.content('web', index))).toBe(true);
}
