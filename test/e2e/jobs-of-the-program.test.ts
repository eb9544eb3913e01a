import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { addHost } from '../../src/core/hosts.ts';
import { addPool } from '../../src/core/pools.ts';
import { applyProtect, planProtect } from '../../src/core/protect.ts';
import { sync } from '../../src/core/sync.ts';
import { aHome, type TestHome } from '../builders/a-home.ts';
import { aJobHome, type JobHome } from '../builders/job-home.ts';
import { type MabsRun, runMabs } from '../builders/mabs-process.ts';

let home: TestHome;
let lab: JobHome;
beforeAll(async () => {
  home = await aHome();
  lab = await aJobHome([{ name: 'web' }, { name: 'db' }]);
  await using ports = await home.ports();
  await addHost(ports, { name: 'hv1', type: 'lab', path: join(lab.folder, 'lab') });
  await addPool(ports, { name: 'main', path: join(home.folder, 'pool'), encrypt: false, compression: 'normal' });
  await applyProtect(ports, await planProtect(ports, { group: 'servers', members: ['hv1/web', 'hv1/db'], policy: {} }));
  await sync(ports, { all: true });
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

const mabs = (...words: string[]) => runMabs(home.homePath, words);
const json = ({ stdout }: MabsRun) => JSON.parse(stdout);

describe('the jobs, run as a user runs them', () => {
  it('end with 0, and print one JSON document, as the contract says', async () => {
    const checkpoint = await mabs('checkpoint', 'hv1/web', '--json', '--progress', 'none');
    expect(checkpoint).toMatchObject({ exitCode: 0, stderr: '' });
    const [member] = json(checkpoint).members;
    expect(member).toMatchObject({ vm: 'hv1/web', status: 'ok', consistency: 'application', tracking: 'rct' });
    for (const count of [
      'bytesScanned',
      'bytesSampled',
      'bytesChanged',
      'bytesTransferred',
      'bytesStored',
      'blocksDiffering',
      'durationMs',
    ]) {
      expect(typeof member[count]).toBe('number');
    }
    const points = json(await mabs('point', 'list', 'hv1/web', '--json'));
    expect(points).toMatchObject([{ id: member.pointId, vm: 'hv1/web', held: false, disks: [{ disk: 'disk0', leftOut: 0 }] }]);
  });

  it('end with the exit codes of the contract', async () => {
    await writeFile(join(lab.vm('db').folder, 'faults.json'), '["capture-fails"]');
    const runs = await Promise.all([
      mabs('sync', 'hv1/nobody'),
      mabs('sync'),
      mabs('point', 'show', 'hv1/web@2001-01-01'),
      mabs('recover', 'hv1/web@latest', '--to', 'original'),
      mabs('recover', 'hv1/web@latest:/disk0/p1/etc/fstab', '--to', `folder:${home.folder}`),
      mabs('status', '--check', '--drilled-within', '90d'),
    ]);
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([1, 2, 1, 2, 5, 8]);
    const partly = await mabs('sync', '--all', '--json');
    expect(partly.exitCode).toBe(3);
    expect(json(partly).members.map((member: { status: string }) => member.status)).toEqual(['ok', 'failed']);
    await rm(join(lab.vm('db').folder, 'faults.json'));
  });

  it('refuse a second job on one VM at once with 7, and let it wait with --wait', async () => {
    await using ports = await home.ports();
    const { datasource } = (await ports.catalog.listManifests({ kind: 'replica' })).find(
      ({ manifest }) => manifest.vm.name === 'web',
    )!.manifest;
    const other = await ports.locks.acquire(`vm-${datasource}`, { what: 'x', waitMs: 0 });
    const refused = await mabs('sync', 'hv1/web');
    expect(refused.exitCode).toBe(7);
    expect(refused.stderr).toContain('[MABS-LOCKED]');
    const waiting = mabs('sync', 'hv1/web', '--wait', '30s');
    setTimeout(() => other[Symbol.asyncDispose](), 1000);
    expect((await waiting).exitCode).toBe(0);
  });

  it.each(['SIGINT', 'SIGKILL'] as const)('leave nothing that the next command would stumble over after %s', async (signal) => {
    const stopped = await runMabs(home.homePath, ['consistency-check', '--all', '--progress', 'json'], { signal });
    expect(stopped.exitCode).toBe(signal === 'SIGINT' ? 130 : null);
    expect((await mabs('sync', '--all')).exitCode).toBe(0);
    expect(await readdir(join(home.homePath, 'journal'))).toEqual([]);
    expect((await readdir(lab.vm('web').folder)).filter((name) => name.endsWith('.avhdx'))).toEqual([]);
    const jobs = json(await mabs('job', 'list', '--json'));
    expect(jobs.find(({ kind }: { kind: string }) => kind === 'consistency-check')).toMatchObject({ state: 'interrupted' });
  });
});
