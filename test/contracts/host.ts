import { randomUUID } from 'node:crypto';
import { mkdir, rm, symlink } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { diskFormats } from '../../src/disks/registry.ts';
import type { Host, HostRecovery, RecoveredVm } from '../../src/hosts/host.ts';
import { aCapture, textFrom } from '../builders/lab-folder.ts';

/** A host to try, with at least one running VM whose first disk has 4 MiB or more and change tracking. */
export interface HostWorld extends AsyncDisposable {
  readonly host: Host;
  readonly vmId: string;
  /** Writes to the first disk of the VM as its guest would. */
  guestWrites(offset: number, text: string): Promise<void>;
  /** Makes the disk of a recovery, with `text` at its beginning. */
  fill(path: string, format: 'vhdx' | 'vhd' | 'raw', sizeBytes: number, text: string): Promise<void>;
}

/** What every kind of host keeps. */
export function keepsTheHostContract(open: () => Promise<HostWorld>): void {
  let world: HostWorld;
  beforeEach(async () => {
    world = await open();
  });
  afterEach(async () => {
    await world[Symbol.asyncDispose]();
  });

  it('lists its VMs with their disks', async () => {
    const vm = await theVm(world);
    expect(vm.id).toBe(vm.id.toLowerCase());
    expect(vm.state).toBe('running');
    expect(vm.disks[0]!.virtualSize).toBeGreaterThanOrEqual(4 * 1024 * 1024);
  });

  it('freezes what a capture shows while the guest goes on, and gives the guest everything it wrote', async () => {
    const { host, vmId } = world;
    await world.guestWrites(0, 'before');
    const capture = await host.capture(vmId, aCapture());
    await world.guestWrites(0, 'during');
    expect(await textFrom(capture.disks[0]!.frozenPath, 0, 6)).toBe('before');
    expect(await capture.release({ committed: true })).toEqual({ merged: true });
    expect(await textFrom((await theVm(world)).disks[0]!.path, 0, 6)).toBe('during');
    expect((await theVm(world)).state).toBe('running');
  });

  it('tells what changed between two captures, and admits what it does not know', async () => {
    const first = await world.host.capture(world.vmId, aCapture());
    const base = first.disks[0]!.trackingId!;
    expect(await first.disks[0]!.changedSince(base)).toEqual({ ranges: [] });
    await world.guestWrites(4096, 'during');
    expect(await first.disks[0]!.changedSince(base)).toEqual({ ranges: [] });
    await first.release({ committed: true });
    await world.guestWrites(70_000, 'after');
    const second = await world.host.capture(world.vmId, aCapture());
    const changes = await second.disks[0]!.changedSince(base);
    expect(await second.disks[0]!.changedSince('an id from elsewhere')).toHaveProperty('unknown');
    expect(await second.disks[0]!.changedSince(undefined)).toHaveProperty('unknown');
    await second.release({ committed: true });
    const covers = (offset: number) =>
      'ranges' in changes && changes.ranges.some((range) => range.offset <= offset && offset < range.offset + range.length);
    expect([covers(4096), covers(70_000), covers(3 * 1024 * 1024)]).toEqual([true, true, false]);
  });

  it('journals a capture before it can leave anything behind', async () => {
    const facts: unknown[] = [];
    const refused = new Error('the journal is full');
    const request = aCapture({ journal: async (fact) => void facts.push(fact) });
    await (await world.host.capture(world.vmId, request)).release({ committed: false });
    expect(facts.length).toBeGreaterThan(0);
    await expect(world.host.capture(world.vmId, aCapture({ journal: () => Promise.reject(refused) }))).rejects.toBe(refused);
    await (await world.host.capture(world.vmId, aCapture())).release({ committed: false });
  });

  it('captures a VM once at a time', async () => {
    const capture = await world.host.capture(world.vmId, aCapture());
    await expect(world.host.capture(world.vmId, aCapture())).rejects.toMatchObject({ kind: 'locked' });
    await capture.release({ committed: true });
  });

  it('refuses a VM that it does not have', () =>
    expect(world.host.capture(randomUUID(), aCapture())).rejects.toMatchObject({ code: 'MABS-HOST-VM-UNKNOWN' }));

  it('has nothing to clean up where nothing is left', async () => {
    const leftover = { captureId: randomUUID(), vmId: world.vmId, facts: {} };
    expect(await world.host.releaseLeftover(leftover)).toEqual({ merged: true });
    expect(await world.host.releaseLeftover({ ...leftover, vmId: randomUUID() })).toEqual({ merged: true });
  });

  it('recovers a VM over itself in one step, with the replaced disks kept until their time is over', async () => {
    const recovery = await beginOriginal(world, await recovered(world), 1000);
    await fillTargets(world, recovery, 'restored');
    const old = (await theVm(world)).disks[0]!.path;
    const { paths, keptOld } = await recovery.apply();
    const vm = await theVm(world);
    expect(vm.state).toBe('off');
    expect(vm.disks.map(({ path }) => path)).toEqual(paths.map(({ path }) => path));
    expect(await textFrom(vm.disks[0]!.path, 0, 8)).toBe('restored');
    expect(keptOld).toContain(old);
    expect(await world.host.removeExpired(0)).toEqual([]);
    expect(await world.host.removeExpired(Number.MAX_SAFE_INTEGER)).toContain(old);
    expect(await textFrom(vm.disks[0]!.path, 0, 8)).toBe('restored');
  });

  it('leaves the VM as it was when a recovery is given up, by the same process or a later one', async () => {
    const before = await theVm(world);
    const one = await beginOriginal(world, await recovered(world));
    await fillTargets(world, one, 'x');
    await one.abandon();
    const two = await beginOriginal(world, await recovered(world));
    await fillTargets(world, two, 'x');
    const facts = JSON.parse(JSON.stringify(two.facts));
    await world.host.abandonLeftover(facts);
    await world.host.abandonLeftover(facts);
    expect(await theVm(world)).toEqual(before);
    for (const { path } of [...one.targets, ...two.targets]) await expect(diskFormats.describe(path)).rejects.toThrow();
  });

  it('does not undo a recovery that was applied', async () => {
    const recovery = await beginOriginal(world, await recovered(world));
    await fillTargets(world, recovery, 'restored');
    await recovery.apply();
    await world.host.abandonLeftover(JSON.parse(JSON.stringify(recovery.facts)));
    expect(await textFrom((await theVm(world)).disks[0]!.path, 0, 8)).toBe('restored');
  });

  it('lets a folder of its own be written, there or not yet, and nothing outside', async () => {
    for (const wanted of ['restored', 'restored/deep/er', '.']) {
      const folder = await world.host.reachFolder(wanted);
      expect(isAbsolute(folder)).toBe(true);
      await mkdir(folder, { recursive: true });
      expect(await world.host.reachFolder(folder)).toBe(folder);
    }
    await symlink('..', join(await world.host.reachFolder('.'), 'out'), 'junction');
    for (const wanted of ['..', '../beside', 'restored/../../beside', 'out', 'out/x', '/', 'a\0b']) {
      await expect(world.host.reachFolder(wanted)).rejects.toMatchObject({ code: 'MABS-HOST-FOLDER', kind: 'usage' });
    }
    await rm(join(await world.host.reachFolder('.'), 'out'));
  });

  it('makes a new VM with a new id beside the one of the same name', async () => {
    const request = {
      recoveryId: randomUUID(),
      vm: await recovered(world),
      network: 'disconnect',
      highlyAvailable: false,
      start: false,
      journal: async () => {},
    } as const;
    const recovery = await world.host.beginNewVmRecovery(request);
    await fillTargets(world, recovery, 'anew');
    expect(await world.host.listVms()).toHaveLength(1);
    await recovery.apply();
    const made = (await world.host.listVms()).find(({ id }) => id === recovery.vmId)!;
    expect(made.id).not.toBe(world.vmId);
    expect(made.state).toBe('off');
    expect(await textFrom(made.disks[0]!.path, 0, 4)).toBe('anew');
  });
}

async function theVm({ host, vmId }: HostWorld) {
  return (await host.listVms()).find(({ id }) => id === vmId)!;
}

async function recovered(world: HostWorld): Promise<RecoveredVm> {
  const { id, name, generation, configuration, disks } = await theVm(world);
  return { id, name, generation, configuration, disks: disks.map((disk, index) => ({ ...disk, index })) };
}

function beginOriginal({ host }: HostWorld, vm: RecoveredVm, keepOldMs = 0): Promise<HostRecovery> {
  return host.beginOriginalRecovery({
    recoveryId: randomUUID(),
    vm,
    keepOldMs,
    checkpoints: 'refuse',
    start: false,
    journal: async () => {},
  });
}

async function fillTargets(world: HostWorld, { targets }: HostRecovery, text: string): Promise<void> {
  for (const { path, format } of targets) await world.fill(path, format, 4 * 1024 * 1024, text);
}
