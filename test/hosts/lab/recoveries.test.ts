import { randomUUID } from 'node:crypto';
import { access, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { HostRecovery, NewVmRecoveryRequest, OriginalRecoveryRequest, RecoveredVm } from '../../../src/hosts/host.ts';
import { aCapture, aLab, makeDisk, type TestLab, textFrom, writeInto } from '../../builders/lab-folder.ts';

const TWO_DISKS = [{ path: 'disk0.vhdx' }, { path: 'disk1.vhdx' }];

async function captured(lab: TestLab, folder = 'vm'): Promise<RecoveredVm> {
  const { id, name, generation, configuration, disks } = await lab.simulated.vmInFolder(folder);
  return { id, name, generation, configuration, disks: disks.map((disk, index) => ({ ...disk, index })) };
}

async function original(lab: TestLab, vm: RecoveredVm, request: Partial<OriginalRecoveryRequest> = {}): Promise<HostRecovery> {
  const recovery = await lab.host.beginOriginalRecovery({
    recoveryId: randomUUID(),
    vm,
    keepOldMs: 1000,
    checkpoints: 'refuse',
    start: false,
    journal: async () => {},
    ...request,
  });
  return filled(recovery);
}

async function anew(lab: TestLab, vm: RecoveredVm, request: Partial<NewVmRecoveryRequest> = {}): Promise<HostRecovery> {
  return filled(
    await lab.host.beginNewVmRecovery({
      recoveryId: randomUUID(),
      vm,
      network: 'disconnect',
      highlyAvailable: false,
      start: false,
      journal: async () => {},
      ...request,
    }),
  );
}

async function filled(recovery: HostRecovery): Promise<HostRecovery> {
  for (const { path } of recovery.targets) {
    await makeDisk(path);
    await writeInto(path, 0, 'restored');
  }
  return recovery;
}

describe('a recovery whose process dies while it makes folders', () => {
  it('has told of each folder before it was there, so that nothing stays', async () => {
    await using lab = await aLab([{ folder: 'vm' }]);
    const vm = await captured(lab);
    for (const steps of [1, 2]) {
      const noted: Readonly<Record<string, unknown>>[] = [];
      const journal = async (facts: Readonly<Record<string, unknown>>) => {
        if (noted.length === steps) throw new Error('killed');
        noted.push(facts);
      };
      const begun = lab.host.beginNewVmRecovery({
        ...{ recoveryId: randomUUID(), vm, name: 'anew', path: 'elsewhere', journal },
        ...{ network: 'disconnect', highlyAvailable: false, start: false },
      });
      await begun.catch(() => {});
      await lab.host.abandonLeftover(JSON.parse(JSON.stringify(noted.at(-1))));
      expect((await readdir(lab.path, { recursive: true })).filter((path) => path.includes('anew') && !path.startsWith('.locks'))).toEqual(
        [],
      );
    }
  });
});

describe('recovery of a VM over itself', () => {
  it('puts disks with new names beside the old, keeps their identity, and begins tracking anew', async () => {
    await using lab = await aLab([{ folder: 'vm' }]);
    const vm = await captured(lab);
    const { paths, keptOld } = await (await original(lab, vm, { recoveryId: 'ABCDEF01-2345-6789-abcd-ef0123456789' })).apply();
    expect(paths).toEqual([{ key: 'disk0.vhdx', path: lab.file('vm', 'disk0-abcdef01.vhdx') }]);
    expect(keptOld).toEqual([lab.file('vm', 'disk0.vhdx')]);
    expect((await lab.definition('vm')).disks).toEqual([{ id: 'disk0.vhdx', controller: 'scsi', path: 'disk0-abcdef01.vhdx' }]);
    const tracking = JSON.parse(await readFile(lab.file('vm', 'disk0-abcdef01.vhdx.rct.json'), 'utf8'));
    expect(tracking).toEqual({ current: expect.any(String), history: [] });
    expect(tracking.current).not.toBe('T0');
    expect((await captured(lab)).disks[0]!.key).toBe('disk0.vhdx');
  });

  it('names no disk longer with each recovery', async () => {
    await using lab = await aLab([{ folder: 'vm' }]);
    for (let round = 0; round < 3; round++) await (await original(lab, await captured(lab))).apply();
    expect((await lab.definition('vm')).disks[0]!.path).toMatch(/^disk0-[0-9a-f]{8}\.vhdx$/);
  });

  it('turns a running VM off, or starts it again when asked', async () => {
    await using lab = await aLab([{ folder: 'vm' }]);
    await (await original(lab, await captured(lab))).apply();
    expect((await lab.definition('vm')).state).toBe('off');
    await (await original(lab, await captured(lab), { start: true })).apply();
    expect((await lab.definition('vm')).state).toBe('running');
  });

  it('restores the definition as it was captured, but not the name, the replication and the cluster', async () => {
    await using lab = await aLab([{ folder: 'vm', definition: { memory: 1024, cluster: { role: 'old' } } }]);
    const vm = await captured(lab);
    const now = await lab.definition('vm');
    await writeFile(
      lab.file('vm', 'vm.json'),
      JSON.stringify({ ...now, name: 'renamed', memory: 4096, cluster: { role: 'new' }, note: 'added later' }),
    );
    await (await original(lab, vm)).apply();
    expect(await lab.definition('vm')).toMatchObject({
      id: vm.id,
      name: 'renamed',
      memory: 1024,
      cluster: { role: 'new' },
      note: 'added later',
    });
  });

  it('takes disks out that the point does not have, and keeps them for good', async () => {
    await using lab = await aLab([{ folder: 'vm', disks: TWO_DISKS }]);
    const vm = await captured(lab);
    const { keptOld } = await (await original(lab, { ...vm, disks: vm.disks.slice(0, 1) })).apply();
    expect(keptOld).toEqual([lab.file('vm', 'disk0.vhdx'), lab.file('vm', 'disk1.vhdx')]);
    expect(await lab.host.removeExpired(Number.MAX_SAFE_INTEGER)).toEqual([
      lab.file('vm', 'disk0.vhdx'),
      lab.file('vm', 'disk0.vhdx.rct.json'),
    ]);
    await access(lab.file('vm', 'disk1.vhdx'));
  });

  it('brings disks back that the VM no longer has', async () => {
    await using lab = await aLab([{ folder: 'vm', disks: TWO_DISKS }]);
    const vm = await captured(lab);
    const now = await lab.definition('vm');
    await writeFile(lab.file('vm', 'vm.json'), JSON.stringify({ ...now, disks: now.disks.slice(1) }));
    await (await original(lab, vm)).apply();
    expect((await captured(lab)).disks.map(({ key }) => key)).toEqual(['disk0.vhdx', 'disk1.vhdx']);
  });

  it('refuses host checkpoints, or sets their whole chain aside', async () => {
    await using lab = await aLab([{ folder: 'vm' }]);
    await makeDisk(lab.file('vm', 'disk0_A.avhdx'), 0, lab.file('vm', 'disk0.vhdx'));
    await writeFile(lab.file('vm', 'vm.json'), JSON.stringify({ ...(await lab.definition('vm')), disks: [{ path: 'disk0_A.avhdx' }] }));
    const vm = await captured(lab);
    await expect(original(lab, vm)).rejects.toMatchObject({ code: 'MABS-HOST-CHECKPOINTS-PRESENT', kind: 'prerequisite' });
    const { paths } = await (await original(lab, vm, { checkpoints: 'set-aside' })).apply();
    expect(paths[0]!.path).toMatch(/[/\\]disk0-[0-9a-f]{8}\.vhdx$/);
    await lab.host.removeExpired(Number.MAX_SAFE_INTEGER);
    const name = paths[0]!.path.split(/[\\/]/).at(-1)!;
    expect((await readdir(lab.file('vm'))).sort()).toEqual([name, `${name}.rct.json`, 'vm.json']);
  });

  it('removes no disk that a VM uses again', async () => {
    await using lab = await aLab([{ folder: 'vm' }]);
    const before = await readFile(lab.file('vm', 'vm.json'));
    await (await original(lab, await captured(lab))).apply();
    await writeFile(lab.file('vm', 'vm.json'), before);
    expect(await lab.host.removeExpired(Number.MAX_SAFE_INTEGER)).toEqual([]);
    await access(lab.file('vm', 'disk0.vhdx'));
  });

  it('refuses a VM that is being backed up', async () => {
    await using lab = await aLab([{ folder: 'vm' }]);
    const vm = await captured(lab);
    const live = await lab.host.capture(vm.id, aCapture());
    await expect(original(lab, vm)).rejects.toMatchObject({ kind: 'locked' });
    await live.release({ committed: true });
  });

  it('makes a VM that is gone anew, with its old id and the identity of its disks', async () => {
    await using lab = await aLab([{ folder: 'vm' }]);
    const vm = await captured(lab);
    await rm(lab.file('vm'), { recursive: true });
    const recovery = await original(lab, { ...vm, disks: [{ ...vm.disks[0]!, path: 'D:\\VMs\\web\\System.vhdx' }] });
    const { paths } = await recovery.apply();
    expect(paths).toEqual([{ key: 'disk0.vhdx', path: lab.file('vm', 'System.vhdx') }]);
    expect(await captured(lab)).toMatchObject({ id: vm.id, name: vm.name, disks: [{ key: 'disk0.vhdx' }] });
    expect(await textFrom(lab.file('vm', 'System.vhdx'), 0, 8)).toBe('restored');
  });
});

describe('recovery as a new VM', () => {
  it('never lands in a folder that is there, whatever the VM is called', async () => {
    await using lab = await aLab([{ folder: 'vm' }]);
    const vm = await captured(lab);
    for (const name of [undefined, 'VM', '..', '../../escape', 'a/b\\c:d', 'nul', 'con.txt', ' . ', 'x'.repeat(300), '🦔 Straße'])
      await (await anew(lab, vm, name === undefined ? {} : { name })).apply();
    const vms = await lab.host.listVms();
    expect(vms).toHaveLength(11);
    expect(new Set(vms.map(({ id }) => id)).size).toBe(11);
    expect(vms.map(({ name }) => name)).toContain('../../escape');
    for (const { disks } of vms) expect(disks[0]!.path.startsWith(lab.path)).toBe(true);
    expect((await readdir(lab.path)).sort()).toEqual(expect.arrayContaining(['vm', 'vm-2']));
    expect(await textFrom(lab.file('vm', 'disk0.vhdx'), 0, 8)).toBe('........');
  });

  it('puts its disks where it is told, within the host or elsewhere', async () => {
    await using lab = await aLab([{ folder: 'vm', disks: TWO_DISKS }]);
    const elsewhere = join(tmpdir(), `mabs-elsewhere-${randomUUID()}`);
    for (const path of ['store', elsewhere]) {
      const { paths } = await (await anew(lab, await captured(lab), { path, name: 'new' })).apply();
      for (const disk of paths) expect(await textFrom(disk.path, 0, 8)).toBe('restored');
    }
    expect(await readdir(join(elsewhere, 'new-2'))).toHaveLength(4);
    await rm(elsewhere, { recursive: true });
  });

  it('keeps disks of one name apart', async () => {
    await using lab = await aLab([{ folder: 'vm', disks: TWO_DISKS }]);
    const vm = await captured(lab);
    const recovery = await anew(lab, { ...vm, disks: vm.disks.map((disk, index) => ({ ...disk, path: `C:\\${index}\\Disk.vhdx` })) });
    expect(recovery.targets.map(({ path }) => path.split(/[\\/]/).at(-1))).toEqual(['Disk.vhdx', 'Disk-2.vhdx']);
  });

  it('leaves no folder when it is given up', async () => {
    await using lab = await aLab([{ folder: 'vm' }]);
    const one = await anew(lab, await captured(lab), { path: 'store' });
    await one.abandon();
    const two = await anew(lab, await captured(lab));
    await lab.host.abandonLeftover(JSON.parse(JSON.stringify(two.facts)));
    expect((await readdir(lab.path)).filter((name) => !name.startsWith('.')).sort()).toEqual(['store', 'vm']);
  });

  it('takes over a VM of another kind of host as far as it is known', async () => {
    await using lab = await aLab([]);
    const vm: RecoveredVm = {
      id: randomUUID(),
      name: 'web01',
      generation: 1,
      configuration: { VMName: 'web01', disks: 'not those of a lab' },
      disks: [{ key: 'k', index: 0, controller: 'ide', path: 'C:\\web01.vhd', format: 'vhd', virtualSize: 4_194_304 }],
    };
    await (await anew(lab, vm, { start: true })).apply();
    expect(await lab.host.listVms()).toMatchObject([
      { name: 'web01', generation: 1, state: 'running', os: 'other', disks: [{ controller: 'ide', format: 'vhd' }] },
    ]);
  });
});
