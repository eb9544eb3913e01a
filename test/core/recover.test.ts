import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkConsistency } from '../../src/core/check-consistency.ts';
import { checkpoint } from '../../src/core/checkpoint.ts';
import { cleanLeftovers } from '../../src/core/leftovers.ts';
import { applyProtect, planProtect } from '../../src/core/protect.ts';
import { applyPrune, planPrune } from '../../src/core/prune.ts';
import { recover } from '../../src/core/recover.ts';
import { sync } from '../../src/core/sync.ts';
import { diskFormats } from '../../src/disks/registry.ts';
import { aJobHome, type JobHome } from '../builders/job-home.ts';

let home: JobHome;
let expected: Buffer[];
let target: string;

/** One point of a VM with two disks, written to since. */
beforeEach(async () => {
  home = await aJobHome([{ name: 'web', disks: 2, state: 'off' }]);
  target = join(home.folder, 'restored');
  await applyProtect(home.ports, await planProtect(home.ports, { group: 'servers', members: ['hv1/web'], policy: {} }));
  await checkpoint(home.ports, { all: true });
  expected = [await home.content('web', 0), await home.content('web', 1)];
  await home.write('web', 0, 5000, 'written after the point');
});
afterEach(() => home[Symbol.asyncDispose]());

const toFolder = (more = {}) => recover(home.ports, { point: 'hv1/web@latest', to: `folder:${target}`, ...more });
async function contentOf(path: string): Promise<Buffer> {
  await using source = await diskFormats.open(path);
  const bytes = Buffer.alloc(source.sizeBytes);
  await source.read(0, bytes);
  return bytes;
}

describe('recover to a folder', () => {
  it.each(['vhdx', 'vhd', 'raw'] as const)('writes the whole VM as %s, equal to the source of its day', async (format) => {
    const report = await toFolder({ format });
    expect(report).toMatchObject({
      status: 'ok',
      target: `folder:${target}`,
      disks: [{ disk: 'disk0', verified: true }, { disk: 'disk1' }],
    });
    expect((await readdir(target)).sort()).toEqual(['configuration-0-vm.json', `disk0.${format}`, `disk1.${format}`, 'vm.json']);
    for (const [index, { path }] of report.disks.entries()) expect((await contentOf(path)).equals(expected[index]!)).toBe(true);
    expect(JSON.parse(await readFile(join(target, 'vm.json'), 'utf8'))).toMatchObject({ name: 'web', id: home.vm('web').id });
    expect(await home.ports.home.journal.list()).toEqual([]);
  });

  it('writes one disk by its name, without the configuration', async () => {
    const report = await recover(home.ports, { point: 'hv1/web@latest:/disk1', to: `folder:${target}`, format: 'raw' });
    expect(await readdir(target)).toEqual(['disk1.raw']);
    expect((await contentOf(report.disks[0]!.path)).equals(expected[1]!)).toBe(true);
  });

  it('never writes over a file unless told to', async () => {
    await mkdir(target);
    await writeFile(join(target, 'disk1.vhdx'), 'precious');
    await expect(toFolder()).rejects.toMatchObject({ code: 'MABS-TARGET-EXISTS' });
    expect(await readFile(join(target, 'disk1.vhdx'), 'utf8')).toBe('precious');
    expect(await readdir(target)).toEqual(['disk1.vhdx']);
    await toFolder({ existing: 'overwrite' });
    expect((await contentOf(join(target, 'disk1.vhdx'))).equals(expected[1]!)).toBe(true);
  });

  it('leaves nothing of a recovery that failed', async () => {
    home.pool.restoreDisk = async (_disk, disk) => {
      await disk.write(0, Buffer.from('half'));
      throw Object.assign(new Error('no space left'), { code: 'ENOSPC', errno: -28 });
    };
    await expect(toFolder()).rejects.toMatchObject({ code: 'MABS-TARGET-FULL', kind: 'space' });
    expect(await readdir(target)).toEqual([]);
  });

  it('removes what a recovery that died left, with the next job', async () => {
    const file = join(home.folder, '.disk0.raw.partial');
    await writeFile(file, 'half');
    const facts = { files: [file] };
    await home.ports.home.journal.put({ id: 'r1', kind: 'recovery', host: '', vmId: '', vmName: '', at: '', lock: 'recovery-r1', facts });
    await cleanLeftovers(home.ports);
    await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await home.ports.home.journal.list()).toEqual([]);
  });

  it.each([
    { what: 'a target that is none', request: { to: 'floppy:' }, code: 'MABS-TARGET-UNREADABLE', kind: 'usage' },
    { what: 'a disk that the point does not have', request: { point: 'hv1/web@latest:/disk7' }, code: 'MABS-DISK-UNKNOWN', kind: 'failed' },
    {
      what: 'files into the VM',
      request: { point: 'hv1/web@latest:/disk0/p1/a.txt', to: 'original' },
      code: 'MABS-FILES-TO-FOLDER',
      kind: 'usage',
    },
    {
      what: 'one disk into the VM',
      request: { point: 'hv1/web@latest:/disk0', to: 'original' },
      code: 'MABS-WHOLE-VM-ONLY',
      kind: 'usage',
    },
  ])('refuses $what', ({ request, code, kind }) => expect(toFolder(request)).rejects.toMatchObject({ code, kind }));

  it('refuses VHD for a disk that no VHD can hold', async () => {
    const [seq, point] = [...home.pool.live].find(([, { kind }]) => kind === 'point')!;
    const disks = point.disks.map((disk) => ({ ...disk, logicalSectorSize: 4096 }));
    await home.ports.catalog.addManifests(home.pool.info.id, [{ seq, manifest: { ...point, disks } }]);
    await expect(toFolder({ format: 'vhd' })).rejects.toMatchObject({ code: 'MABS-FORMAT-IMPOSSIBLE', kind: 'prerequisite' });
  });
});

describe('recover to original', () => {
  it('swaps compared disks in, keeps the old ones, and has the next sync scan', async () => {
    const report = await recover(home.ports, { point: 'hv1/web@latest', to: 'original' });
    expect(report).toMatchObject({ status: 'ok', target: 'original', vm: 'hv1/web', disks: [{ disk: 'disk0', verified: true }, {}] });
    expect(report.keptOld).toHaveLength(2);
    for (const index of [0, 1]) expect((await home.content('web', index)).equals(expected[index]!)).toBe(true);
    expect((await sync(home.ports, { all: true })).report.members[0]).toMatchObject({
      tracking: 'scan',
      trackingReason: 'recovered to original',
      blocksDiffering: 0,
    });
  });

  it.each([
    ['a sync', () => sync(home.ports, { all: true })],
    ['a checkpoint', () => checkpoint(home.ports, { all: true })],
    ['a consistency check', () => checkConsistency(home.ports, { all: true })],
    ['a prune', async () => applyPrune(home.ports, await planPrune(home.ports, { trashMs: 0, emptyTrash: false }))],
  ])('gives the place of the replaced disks back by %s once their time is over', async (_name, job) => {
    const report = await recover(home.ports, { point: 'hv1/web@latest', to: 'original', keepOldMs: 60_000 });
    await job();
    for (const path of report.keptOld!) await expect(stat(path)).resolves.toBeDefined();
    home.now += 120_000;
    await job();
    for (const path of report.keptOld!) await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
    for (const index of [0, 1]) expect((await home.content('web', index)).equals(expected[index]!)).toBe(true);
  });

  it('leaves the VM as it was when the new disk does not read back as the point', async () => {
    const before = await home.content('web', 0);
    home.pool.compareDisk = async () => ({ differing: [{ offset: 0, length: 512 }], bytesRead: 0 });
    await expect(recover(home.ports, { point: 'hv1/web@latest', to: 'original' })).rejects.toMatchObject({ code: 'MABS-RECOVERY-DIFFERS' });
    expect((await home.content('web', 0)).equals(before)).toBe(true);
    expect((await readdir(home.vm('web').folder)).filter((name) => name.endsWith('.vhdx')).sort()).toEqual(['disk0.vhdx', 'disk1.vhdx']);
    expect(await home.ports.home.journal.list()).toEqual([]);
  });

  it('is refused while another job works on the VM', async () => {
    const { datasource } = [...home.pool.live.values()][0]!;
    await using _other = await home.ports.locks.acquire(`vm-${datasource}`, { what: 'x', waitMs: 0 });
    await expect(recover(home.ports, { point: 'hv1/web@latest', to: 'original' })).rejects.toMatchObject({ kind: 'locked' });
  });
});

describe('recover to a host', () => {
  it('makes a new VM with a new id and the disks of the point', async () => {
    const report = await recover(home.ports, { point: 'hv1/web@latest', to: 'host:hv1', name: 'copy' });
    expect(report).toMatchObject({ status: 'ok', target: 'host:hv1', vm: 'hv1/copy', disks: [{ disk: 'disk0' }, { disk: 'disk1' }] });
    const vms = await (await home.ports.openHost('hv1')).listVms();
    const copy = vms.find(({ name }) => name === 'copy')!;
    expect(copy.id).not.toBe(home.vm('web').id);
    for (const [index, { path }] of copy.disks.entries()) expect((await contentOf(path)).equals(expected[index]!)).toBe(true);
  });

  it('leaves nothing on the host when it fails', async () => {
    home.pool.restoreDisk = () => Promise.reject(new Error('broken'));
    await expect(recover(home.ports, { point: 'hv1/web@latest', to: 'host:hv1', name: 'copy' })).rejects.toThrow('broken');
    expect((await (await home.ports.openHost('hv1')).listVms()).map(({ name }) => name)).toEqual(['web']);
    expect(await home.ports.home.journal.list()).toEqual([]);
  });
});
