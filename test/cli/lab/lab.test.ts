import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { App, CommandBuilder } from '../../../src/cli/app.ts';
import { labCrashCommand } from '../../../src/cli/lab/crash.ts';
import { labFaultCommand } from '../../../src/cli/lab/fault.ts';
import { labInitCommand } from '../../../src/cli/lab/init.ts';
import { labPauseCommand } from '../../../src/cli/lab/pause.ts';
import { labSaveCommand } from '../../../src/cli/lab/save.ts';
import { labStartCommand } from '../../../src/cli/lab/start.ts';
import { labStopCommand } from '../../../src/cli/lab/stop.ts';
import { labWriteCommand } from '../../../src/cli/lab/write.ts';
import { HomeMissingError } from '../../../src/core/home.ts';
import type { Ports } from '../../../src/core/ports.ts';
import { diskFormats } from '../../../src/disks/registry.ts';
import { hostKinds } from '../../../src/hosts/registry.ts';
import { fakeApp } from '../../builders/fake-app.ts';
import { aLab, type TestLab, textFrom } from '../../builders/lab-folder.ts';
import { runCommand } from '../../builders/run-command.ts';

const MiB = 1024 ** 2;
let lab: TestLab;
let vm: string;

beforeEach(async () => {
  lab = await aLab();
  vm = lab.file('vm');
});
afterEach(async () => lab[Symbol.asyncDispose]());

/** An app without a home. */
const anApp = (overrides: Partial<App> = {}) =>
  fakeApp({ hostKinds: async () => hostKinds(diskFormats), ports: () => Promise.reject(new HomeMissingError('/none')), ...overrides });

/** An app whose home knows these hosts. */
function anAppWithHosts(...hosts: { name: string; type: 'lab' | 'powershell'; path: string }[]) {
  const kinds = hostKinds(diskFormats);
  const ports = {
    home: { listHosts: async () => hosts },
    openHost: (name: string) => kinds.open(hosts.find((host) => host.name === name)!),
  };
  return anApp({ ports: async () => ports as unknown as Ports });
}

const run = async (builder: CommandBuilder, ...words: string[]) => {
  const app = anApp({ json: true });
  await runCommand(builder(app), ...words);
  return JSON.parse(app.stdout());
};

const disk = () => lab.file('vm', 'disk0.vhdx');

describe('mabs lab write', () => {
  it('writes text, bytes, files, zeros and noise where it is told', async () => {
    await run(labWriteCommand, vm, '--offset', '1000', '--text', 'Grüße');
    expect(await textFrom(disk(), 1000, 7)).toBe('Grüße');
    await run(labWriteCommand, vm, '--offset', '1MiB', '--data', '61 62:63');
    expect(await textFrom(disk(), MiB, 3)).toBe('abc');
    await writeFile(lab.file('content'), 'from a file');
    await run(labWriteCommand, vm, '--disk', 'disk0.vhdx', '--offset', '2000', '--from', lab.file('content'));
    expect(await textFrom(disk(), 2000, 11)).toBe('from a file');
    expect(await run(labWriteCommand, vm, '--offset', '2000', '--zero', '--length', '5')).toMatchObject({ bytesWritten: 5, disk: 'disk0' });
    expect(await textFrom(disk(), 2000, 11)).toBe('.....a file');
    await run(labWriteCommand, vm, '--offset', '0', '--random', '7', '--length', '2MiB');
    const once = await textFrom(disk(), 0, 64);
    await run(labWriteCommand, vm, '--offset', '0', '--random', '7', '--length', '2MiB');
    expect(await textFrom(disk(), 0, 64)).toBe(once);
  });

  it('scatters writes as the seed says, away from the partition tables', async () => {
    await using big = await aLab([{ folder: 'vm', disks: [{ path: 'disk0.vhdx', sizeBytes: 16 * MiB }] }]);
    const report = await run(labWriteCommand, big.file('vm'), '--random', '1', '--count', '50', '--max-length', '8KiB');
    expect(report).toMatchObject({ pieces: 50 });
    expect(report.bytesWritten).toBeLessThanOrEqual(50 * 8192);
    const live = await big.host.capture((await big.simulated.vmInFolder('vm')).id, {
      captureId: 'c',
      consistency: 'crash',
      whenNotOnline: 'crash',
      journal: async () => {},
    });
    const changes = await live.disks[0]!.changedSince('T0');
    await live.release({ committed: false });
    const ranges = 'ranges' in changes ? changes.ranges : [];
    expect(ranges.length).toBeGreaterThan(20);
    for (const { offset, length } of ranges) {
      expect([offset % 512, length % 512]).toEqual([0, 0]);
      expect(offset).toBeGreaterThanOrEqual(MiB);
      expect(offset + length).toBeLessThanOrEqual(15 * MiB);
    }
  });

  it.each([
    [[]],
    [['--offset', '0']],
    [['--text', 'a']],
    [['--offset', '0', '--text', 'a', '--zero']],
    [['--offset', '0', '--zero']],
    [['--offset', '0', '--random', '1']],
    [['--count', '3', '--zero']],
    [['--count', '0', '--random', '1']],
    [['--offset', '0', '--data', 'xyz']],
    [['--offset', 'here', '--text', 'a']],
  ])('refuses %j as wrong usage', (words) => expect(run(labWriteCommand, vm, ...words)).rejects.toMatchObject({ kind: 'usage' }));
});

describe('a simulated VM', () => {
  it('is named by its folder without a home, or by host and name', async () => {
    const app = anAppWithHosts({ name: 'hv1', type: 'lab', path: lab.path });
    for (const name of ['hv1/vm', 'HV1/VM', `hv1/{${(await lab.simulated.vmInFolder('vm')).id}}`, vm]) {
      await runCommand(labStopCommand(app), name);
      await runCommand(labStartCommand(app), name);
    }
    expect(app.rendered.at(-1)).toEqual({ vm: 'vm', from: 'off', to: 'running' });
  });

  it('that nobody knows is told', async () => {
    await expect(run(labStartCommand, lab.file('none'))).rejects.toMatchObject({ code: 'MABS-HOST-VM-UNKNOWN' });
    await expect(run(labStartCommand, lab.file('none', 'vm'))).rejects.toMatchObject({ code: 'MABS-HOST-UNREACHABLE' });
    await expect(run(labStartCommand, 'hv1/vm')).rejects.toMatchObject({ code: 'MABS-HOME-MISSING' });
    const app = anAppWithHosts({ name: 'hv1', type: 'lab', path: lab.path });
    await expect(runCommand(labStartCommand(app), 'hv1/none')).rejects.toMatchObject({ code: 'MABS-VM-UNKNOWN' });
  });

  it('is saved, paused, started, stopped and crashed', async () => {
    const states = [];
    for (const builder of [labSaveCommand, labStartCommand, labPauseCommand, labStopCommand, labStartCommand, labCrashCommand])
      states.push((await run(builder, vm)).to);
    expect(states).toEqual(['saved', 'running', 'paused', 'off', 'running', 'off']);
  });

  it('has faults switched on and off', async () => {
    expect(await run(labFaultCommand, vm, '--on', 'merge-fails,host-gone=2')).toEqual({ vm: 'vm', faults: ['merge-fails', 'host-gone=2'] });
    expect(await run(labFaultCommand, vm, '--list')).toEqual({ vm: 'vm', faults: ['merge-fails', 'host-gone=2'] });
    expect(await run(labFaultCommand, vm, '--off', 'all')).toEqual({ vm: 'vm', faults: [] });
    await expect(run(labFaultCommand, vm, '--on', 'gremlins')).rejects.toMatchObject({ kind: 'usage' });
  });
});

describe('mabs lab init', () => {
  it('makes an empty host, or one with the sample VMs that are named', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mabs-lab-init-'));
    try {
      expect(await run(labInitCommand, join(folder, 'empty'), '--vms', 'none')).toEqual({ path: join(folder, 'empty'), vms: [] });
      const { vms } = await run(labInitCommand, join(folder, 'one'), '--vms', 'linux-web', '--state', 'off');
      expect(vms).toMatchObject([{ name: 'linux-web', state: 'off' }]);
      await expect(run(labInitCommand, join(folder, 'x'), '--state', 'dreaming')).rejects.toMatchObject({ kind: 'usage' });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
