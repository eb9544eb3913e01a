import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { diskFormats } from '../../../src/disks/registry.ts';
import type { VmAction } from '../../../src/hosts/host.ts';
import { aCapture, aLab, type TestLab, textAt, textFrom } from '../../builders/lab-folder.ts';

const idOf = async (lab: TestLab) => (await lab.simulated.vmInFolder('vm')).id;
const tracking = async (lab: TestLab) => JSON.parse(await readFile(lab.file('vm', 'disk0.vhdx.rct.json'), 'utf8'));

describe('a guest that writes', () => {
  it('leaves a new id and the ranges in the change tracking', async () => {
    await using lab = await aLab();
    const id = await idOf(lab);
    const one = await lab.simulated.write(id, textAt(100, 'hello'));
    expect(one).toEqual({
      vm: 'vm',
      disk: 'disk0',
      key: 'disk0.vhdx',
      bytesWritten: 5,
      pieces: 1,
      path: lab.file('vm', 'disk0.vhdx'),
      trackingId: expect.any(String),
    });
    const two = await lab.simulated.write(id, textAt(103, 'again', '0'));
    expect(await tracking(lab)).toEqual({
      current: two.trackingId,
      history: [
        { from: 'T0', to: one.trackingId, ranges: [[100, 5]] },
        { from: one.trackingId, to: two.trackingId, ranges: [[103, 5]] },
      ],
    });
    expect(await textFrom(lab.file('vm', 'disk0.vhdx'), 100, 8)).toBe('helagain');
  });

  it('is tracked beside the path of vm.json while a capture has it write elsewhere', async () => {
    await using lab = await aLab();
    const live = await lab.host.capture(await idOf(lab), aCapture());
    const { trackingId, path } = await lab.simulated.write(await idOf(lab), textAt(100, 'hello'));
    expect(path).toMatch(/\.avhdx$/);
    expect((await tracking(lab)).current).toBe(trackingId);
    expect(live.disks[0]!.trackingId).toBe('T0');
    await live.release({ committed: true });
    expect((await tracking(lab)).current).toBe(trackingId);
  });

  it('is not tracked on a disk without change tracking', async () => {
    await using lab = await aLab();
    await rm(lab.file('vm', 'disk0.vhdx.rct.json'));
    expect(await lab.simulated.write(await idOf(lab), textAt(0, 'x'))).not.toHaveProperty('trackingId');
    expect(await textFrom(lab.file('vm', 'disk0.vhdx'), 0, 1)).toBe('x');
  });

  it('writes all or nothing past the end, and nothing is tracked', async () => {
    await using lab = await aLab();
    const pieces = [...textAt(0, 'fits').pieces, ...textAt(4 * 1024 * 1024 - 1, 'does not').pieces];
    await expect(lab.simulated.write(await idOf(lab), { disk: '0', pieces })).rejects.toMatchObject({ code: 'MABS-DISK-RANGE' });
    expect((await tracking(lab)).history).toEqual([]);
    expect(await textFrom(lab.file('vm', 'disk0.vhdx'), 0, 4)).toBe('....');
  });

  it('needs a disk that is there', async () => {
    await using lab = await aLab();
    for (const disk of ['1', 'disk7', 'other.vhdx', '-1', ''])
      await expect(lab.simulated.write(await idOf(lab), textAt(0, 'x', disk))).rejects.toMatchObject({ code: 'MABS-LAB-DISK-UNKNOWN' });
  });

  it('has all of its writes counted while several write and a job captures', async () => {
    await using lab = await aLab([{ folder: 'vm' }], { mergeRetriesMs: [50, 100, 200, 400] });
    const id = await idOf(lab);
    const writers = [1, 2, 3].map(async (writer) => {
      const { simulated } = lab.reopen();
      for (let round = 0; round < 5; round++) await simulated.write(id, textAt(writer * 100_000 + round * 10, `${writer}.${round}`));
    });
    for (let round = 0; round < 3; round++) {
      const live = await lab.host.capture(id, aCapture());
      const before = await digest(live.disks[0]!.frozenPath);
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(await digest(live.disks[0]!.frozenPath)).toBe(before);
      expect(await live.release({ committed: true })).toEqual({ merged: true });
    }
    await Promise.all(writers);
    await lab.host.releaseLeftover({ captureId: 'any', vmId: id, facts: {} });
    for (const writer of [1, 2, 3])
      for (let round = 0; round < 5; round++)
        expect(await textFrom(lab.file('vm', 'disk0.vhdx'), writer * 100_000 + round * 10, 3)).toBe(`${writer}.${round}`);
    expect((await tracking(lab)).history).toHaveLength(15);
  });
});

describe('the state of a VM', () => {
  it.each<[VmAction, string, string]>([
    ['start', 'off', 'running'],
    ['start', 'saved', 'running'],
    ['start', 'paused', 'running'],
    ['start', 'running', 'running'],
    ['stop', 'running', 'off'],
    ['stop', 'off', 'off'],
    ['save', 'running', 'saved'],
    ['save', 'paused', 'saved'],
    ['pause', 'running', 'paused'],
    ['crash', 'running', 'off'],
    ['crash', 'off', 'off'],
  ])('%s: from %s to %s', async (action, from, to) => {
    await using lab = await aLab([{ folder: 'vm', definition: { state: from, note: 'kept' }, disks: [] }]);
    expect(await lab.simulated.setState(await idOf(lab), action)).toEqual({ vm: 'vm', from, to });
    expect(await lab.definition('vm')).toMatchObject({ state: to, note: 'kept' });
  });

  it.each<[VmAction, string]>([
    ['save', 'off'],
    ['pause', 'off'],
    ['pause', 'saved'],
    ['crash', 'saved'],
  ])('cannot %s from %s', async (action, state) => {
    await using lab = await aLab([{ folder: 'vm', definition: { state }, disks: [] }]);
    await expect(lab.simulated.setState(await idOf(lab), action)).rejects.toMatchObject({ code: 'MABS-LAB-STATE' });
  });

  it('after a crash is off, but its disks are not those of a guest that was shut down, until it was started', async () => {
    await using lab = await aLab();
    const id = await idOf(lab);
    await lab.simulated.setState(id, 'crash');
    expect((await lab.simulated.vmInFolder('vm')).consistency).toBe('crash');
    await lab.simulated.setState(id, 'start');
    await lab.simulated.setState(id, 'stop');
    expect((await lab.simulated.vmInFolder('vm')).consistency).toBe('offline');
  });
});

describe('a definition that mabs rewrites', () => {
  it('leaves nothing of a process that was killed while it did', async () => {
    await using lab = await aLab();
    const unfinished = ['vm.json.tmp', 'lab-state.json.tmp', 'disk0.vhdx.rct.json.tmp'];
    for (const name of unfinished) await writeFile(lab.file('vm', name), '{"id"');
    await writeFile(lab.file('vm', 'notes.tmp'), 'not of mabs');
    await lab.simulated.write(await idOf(lab), textAt(0, 'x'));
    const names = await readdir(lab.file('vm', ''));
    expect(names.filter((name) => name.endsWith('.tmp'))).toEqual(['notes.tmp']);
  });

  it('keeps what mabs does not know, in every place', async () => {
    await using lab = await aLab();
    const definition = {
      ...(await lab.definition('vm')),
      id: '{ABCDEF00-0000-4000-8000-000000000001}',
      State: 'mine',
      notes: { deep: [1, null] },
    };
    definition.disks = [{ path: 'disk0.vhdx', iops: 500 } as never];
    await writeFile(lab.file('vm', 'vm.json'), JSON.stringify(definition));
    await lab.simulated.setState(await idOf(lab), 'stop');
    expect(await lab.definition('vm')).toEqual({ ...definition, state: 'off' });
  });
});

async function digest(path: string): Promise<string> {
  await using disk = await diskFormats.open(path);
  const bytes = new Uint8Array(disk.sizeBytes);
  await disk.read(0, bytes);
  return Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex');
}
