import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { DiskFormat, DiskFormats } from '../../../src/disks/disk-format.ts';
import { diskFormats } from '../../../src/disks/registry.ts';
import { openLabHost } from '../../../src/hosts/lab/lab-host.ts';
import { openSimulatedLab } from '../../../src/hosts/lab/simulated-lab.ts';
import { aCapture, aLab, labContext, makeDisk, type TestLab, textAt, textFrom, writeInto } from '../../builders/lab-folder.ts';

/** What the guest had written, and been told was written, when the snapshot was taken. */
interface Snapshot {
  readonly at: string;
  readonly path: string;
  readonly expected: string;
}

/** Copies the lab's folder before and after each step of the disk formats: what a kill at that instant leaves. */
function snapshots(lab: () => TestLab, expected: () => string) {
  const taken: Snapshot[] = [];
  async function snap(at: string): Promise<void> {
    const path = `${lab().path}-snapshot-${taken.length}`;
    await cp(lab().path, path, { recursive: true, filter: (source) => !source.includes('.locks') });
    taken.push({ at, path, expected: expected() });
  }
  const around = async <T>(what: string, act: () => Promise<T>): Promise<T> => {
    await snap(`before ${what}`);
    const result = await act();
    await snap(`after ${what}`);
    return result;
  };
  const wrap = (format: DiskFormat): DiskFormat => ({
    ...format,
    detect: (path) => format.detect(path),
    describe: (path, options) => format.describe(path, options),
    open: (path, options) => format.open(path, options),
    openForWriting: (path, options) => format.openForWriting(path, options),
    create: (path, options) => around('create', () => format.create(path, options)),
    mergeIntoParent: (path, options) => around('merge', () => format.mergeIntoParent!(path, options)),
  });
  const formats: DiskFormats = {
    ...diskFormats,
    get: (name) => wrap(diskFormats.get(name)),
    describe: async (path, options) => {
      if (path.endsWith('.avhdx')) await snap('describe of an overlay');
      return diskFormats.describe(path, options);
    },
  };
  return { formats, taken, snap, remove: () => Promise.all(taken.map(({ path }) => rm(path, { recursive: true }))) };
}

describe('a process that is killed', () => {
  it.each([
    { vm: 'running', definition: {}, disks: ['disk0.vhdx', 'disk1.vhdx'] },
    { vm: 'held for the moment', definition: { os: 'other' }, disks: ['disk0.vhdx'] },
    { vm: 'started meanwhile', definition: { state: 'off' }, disks: ['disk0.vhdx'] },
  ])('during the capture of a VM that is $vm leaves nothing that the next job does not mend', async ({ definition, disks }) => {
    let written = 'before';
    let lab: TestLab | undefined;
    const shots = snapshots(
      () => lab!,
      () => written,
    );
    await using made = await aLab([{ folder: 'vm', definition, disks: disks.map((path) => ({ path })) }]);
    lab = made;
    const context = labContext(lab.path, { diskFormats: shots.formats });
    const host = openLabHost(context);
    const simulated = openSimulatedLab(context);
    const { id } = await simulated.vmInFolder('vm');
    await simulated.write(id, textAt(0, 'before'));
    const request = aCapture({ journal: () => shots.snap('journal') });
    const live = await host.capture(id, request);
    await shots.snap('captured');
    if (definition.state === 'off') await simulated.setState(id, 'start');
    await simulated.write(id, textAt(0, 'during'));
    written = 'during';
    await shots.snap('written');
    expect(await live.release({ committed: true })).toEqual({ merged: true });
    await shots.snap('released');
    expect(shots.taken.length).toBeGreaterThanOrEqual(10);

    for (const { at, path, expected } of shots.taken) {
      const later = openLabHost(labContext(path));
      expect({ at, outcome: await later.releaseLeftover({ captureId: request.captureId, vmId: id, facts: {} }) }).toEqual({
        at,
        outcome: { merged: true },
      });
      const disk = join(path, 'vm', 'disk0.vhdx');
      expect({ at, content: await textFrom(disk, 0, 6) }).toEqual({ at, content: expected });
      const files = (await readdir(join(path, 'vm'))).sort();
      expect({ at, files }).toEqual({ at, files: [...disks.flatMap((disk) => [disk, `${disk}.rct.json`]), 'vm.json'] });
      const { state } = JSON.parse(await readFile(join(path, 'vm', 'vm.json'), 'utf8'));
      expect({ at, state }).toEqual({ at, state: definition.state === 'off' ? expect.stringMatching(/off|running/) : 'running' });
    }
    await shots.remove();
  });

  it('during a recovery leaves the VM as it was, or recovered', async () => {
    let lab: TestLab | undefined;
    let text = 'before';
    const shots = snapshots(
      () => lab!,
      () => text,
    );
    await using made = await aLab([{ folder: 'vm', definition: { state: 'off' } }]);
    lab = made;
    const host = openLabHost(labContext(lab.path));
    const [vm] = await host.listVms();
    await writeInto(lab.file('vm', 'disk0.vhdx'), 0, 'before');
    const recovered = { ...vm!, disks: vm!.disks.map((disk, index) => ({ ...disk, index })) };
    const recovery = await host.beginOriginalRecovery({
      recoveryId: crypto.randomUUID(),
      vm: recovered,
      keepOldMs: 0,
      checkpoints: 'refuse',
      start: false,
      journal: async () => {},
    });
    await shots.snap('begun');
    await makeDisk(recovery.targets[0]!.path);
    await shots.snap('made');
    await writeInto(recovery.targets[0]!.path, 0, 'restored');
    await shots.snap('filled');
    const definition = await readFile(lab.file('vm', 'vm.json'));
    await recovery.apply();
    text = 'restor';
    await shots.snap('applied');
    // Everything is there but the one file that is the commit.
    text = 'before';
    await writeFile(lab.file('vm', 'vm.json'), definition);
    await shots.snap('about to be applied');
    for (const { at, path, expected } of shots.taken) {
      const later = openLabHost(labContext(path));
      await later.abandonLeftover(JSON.parse(JSON.stringify(recovery.facts)));
      await later.removeExpired(Number.MAX_SAFE_INTEGER);
      const [after] = await later.listVms();
      expect({ at, content: await textFrom(after!.disks[0]!.path, 0, 6) }).toEqual({ at, content: expected });
      expect({ at, files: (await readdir(join(path, 'vm'))).length }).toEqual({ at, files: 3 });
    }
    await shots.remove();
  });
});
