import { hash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { checkpoint } from '../../src/core/checkpoint.ts';
import { addHost } from '../../src/core/hosts.ts';
import { addPool } from '../../src/core/pools.ts';
import { applyProtect, planProtect } from '../../src/core/protect.ts';
import { aHome, type TestHome } from '../builders/a-home.ts';
import { putFixtureDisk } from '../builders/fixture-disk.ts';
import { fixtureTruth } from '../builders/fixture-volume.ts';
import { aJobHome, type JobHome } from '../builders/job-home.ts';
import { type MabsRun, runMabs } from '../builders/mabs-process.ts';

const POINT = 'hv1/web@latest';

let home: TestHome;
let lab: JobHome;
beforeAll(async () => {
  home = await aHome();
  lab = await aJobHome([{ name: 'web', state: 'off' }]);
  await putFixtureDisk(join(lab.vm('web').folder, 'disk0.vhdx'), ['ext4', 'ntfs-special']);
  await using ports = await home.ports();
  await addHost(ports, { name: 'hv1', type: 'lab', path: join(lab.folder, 'lab') });
  await addPool(ports, { name: 'main', path: join(home.folder, 'pool'), encrypt: false, compression: 'normal' });
  await applyProtect(ports, await planProtect(ports, { group: 'servers', members: ['hv1/web'], policy: {} }));
  await checkpoint(ports, { all: true });
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

const to = (name: string) => join(home.folder, name);
const recoverTo = (folder: string, ...words: string[]) => runMabs(home.homePath, ['recover', ...words, '--to', `folder:${to(folder)}`]);
const json = ({ stdout }: MabsRun) => JSON.parse(stdout);

/** Every recovered file of the ext4 volume is whole: what is there has the bytes that the truth names. */
async function wholeFiles(folder: string): Promise<number> {
  const { entries } = await fixtureTruth('ext4');
  let whole = 0;
  for (const { path, sha256 } of entries) {
    if (sha256 === undefined || !/^[\x20-\x7e]*$/.test(path)) continue;
    const bytes = await readFile(join(to(folder), 'disk0-p1', path)).catch(() => undefined);
    if (bytes === undefined) continue;
    expect({ path, sha256: hash('sha256', bytes, 'hex') }).toEqual({ path, sha256 });
    whole += 1;
  }
  return whole;
}

const temporary = async (folder: string) => (await readdir(to(folder))).filter((name) => name.startsWith('.mabs-recovery'));

describe('files recovered as a user does', () => {
  it('are there, byte by byte, and one JSON document tells of them', async () => {
    const run = await recoverTo('all', `${POINT}:/disk0/p1/`, '--json', '--progress', 'none');
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(json(run)).toMatchObject({ status: 'ok', target: `folder:${to('all')}`, counts: { failed: 0 } });
    expect(await wholeFiles('all')).toBeGreaterThan(20);
  });

  it('end with the exit code of what failed where it was all that was wanted, and with 3 where it was not', async () => {
    const [encrypted, foretold, both, missing] = await Promise.all([
      recoverTo('one', `${POINT}:/disk0/p2/encrypted`, '--json'),
      recoverTo('one', `${POINT}:/disk0/p2/encrypted`, '--dry-run', '--json'),
      recoverTo('two', `${POINT}:/disk0/p2/encrypted`, `${POINT}:/disk0/p1/empty`, '--json'),
      recoverTo('three', `${POINT}:/disk0/p1/none`, '--json'),
    ]);
    expect([encrypted.exitCode, json(encrypted).error.code]).toEqual([5, 'MABS-FILE-UNREADABLE']);
    expect([foretold.exitCode, json(foretold).error.code]).toEqual([5, 'MABS-FILE-UNREADABLE']);
    expect([both.exitCode, json(both).counts.failed]).toEqual([3, 1]);
    expect([missing.exitCode, json(missing).error.code]).toEqual([1, 'MABS-FILE-UNKNOWN']);
    expect(await readdir(to('one'))).toEqual([]);
  });

  it.each(['SIGINT', 'SIGKILL'] as const)('are whole or absent after %s, and the next job removes what is unfinished', async (signal) => {
    const words = ['recover', `${POINT}:/disk0`, `${POINT}:/disk0/p1`, `${POINT}:/disk0/p1/`, '--progress', 'json'];
    const stopped = await runMabs(home.homePath, [...words, '--to', `folder:${to(signal)}`], { signal });
    expect(stopped.exitCode).toBe(signal === 'SIGINT' ? 130 : null);
    if (signal === 'SIGINT') expect(await temporary(signal)).toEqual([]);
    await wholeFiles(signal);
    expect((await recoverTo(signal, `${POINT}:/disk0/p1/`, '--overwrite')).exitCode).toBe(0);
    expect(await temporary(signal)).toEqual([]);
    expect(await readdir(join(home.homePath, 'journal'))).toEqual([]);
    expect(await wholeFiles(signal)).toBeGreaterThan(20);
  });
});
