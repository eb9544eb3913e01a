import { link, open, readdir, readFile, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { diskFormats } from '../../../src/disks/registry.ts';
import type { WhenNotOnline } from '../../../src/model/consistency.ts';
import { aCapture, aLab, makeDisk, type TestLab, textAt, textFrom, writeInto } from '../../builders/lab-folder.ts';

const idOf = async (lab: TestLab, folder = 'vm') => (await lab.simulated.vmInFolder(folder)).id;
const capture = async (lab: TestLab, request = aCapture()) => lab.host.capture(await idOf(lab), request);
const write = async (lab: TestLab, offset: number, text: string, disk?: string) =>
  lab.simulated.write(await idOf(lab), textAt(offset, text, disk));
const overlays = async (lab: TestLab, folder = 'vm') => (await readdir(lab.file(folder))).filter((name) => /\.avhdx?$/.test(name));
const done = { committed: true };

describe('a capture of a running VM', () => {
  it('puts an AVHDX on each disk, leaves vm.json as it is, and takes everything away again', async () => {
    await using lab = await aLab([{ folder: 'vm', disks: [{ path: 'disk0.vhdx' }, { path: 'disk1.vhdx' }] }]);
    const before = await readFile(lab.file('vm', 'vm.json'));
    const request = aCapture();
    const live = await capture(lab, request);
    expect(await overlays(lab)).toEqual([`disk0-${request.captureId}.avhdx`, `disk1-${request.captureId}.avhdx`]);
    expect(live.consistency).toBe('application');
    expect(live.disks.map(({ index, key }) => ({ index, key }))).toEqual([
      { index: 0, key: 'disk0.vhdx' },
      { index: 1, key: 'disk1.vhdx' },
    ]);
    expect(live.configurationFiles).toEqual([{ name: 'vm.json', bytes: before }]);
    expect(await readFile(lab.file('vm', 'vm.json'))).toEqual(before);
    expect(await live.release(done)).toEqual({ merged: true });
    expect((await readdir(lab.file('vm'))).sort()).toEqual([
      'disk0.vhdx',
      'disk0.vhdx.rct.json',
      'disk1.vhdx',
      'disk1.vhdx.rct.json',
      'vm.json',
    ]);
  });

  it('may be released twice', async () => {
    await using lab = await aLab();
    const live = await capture(lab);
    expect(await live.release(done)).toEqual(await live.release(done));
  });

  it('merges what the guest wrote meanwhile to the right places, beside what was there', async () => {
    await using lab = await aLab();
    await write(lab, 100, 'old at 100, and');
    await write(lab, 3_000_000, 'old at 3 MB');
    const live = await capture(lab);
    await write(lab, 107, '100');
    await write(lab, 2_000_000, 'new at 2 MB');
    await lab.simulated.write(await idOf(lab), { disk: '0', pieces: [{ offset: 3_000_000, length: 4, content: 'zero' }] });
    expect(await textFrom(live.disks[0]!.frozenPath, 2_000_000, 3)).toBe('...');
    await live.release(done);
    const disk = lab.file('vm', 'disk0.vhdx');
    expect(await textFrom(disk, 100, 15)).toBe('old at 100, and');
    expect(await textFrom(disk, 2_000_000, 11)).toBe('new at 2 MB');
    expect(await textFrom(disk, 3_000_000, 11)).toBe('....at 3 MB');
  });

  it('lets a VHD be captured like a VHDX', async () => {
    await using lab = await aLab([{ folder: 'vm', disks: [{ path: 'disk0.vhd' }] }]);
    await write(lab, 0, 'before');
    const live = await capture(lab);
    await write(lab, 0, 'during');
    expect(await overlays(lab)).toEqual([`disk0-${live.id}.avhd`]);
    expect(await textFrom(live.disks[0]!.frozenPath, 0, 6)).toBe('before');
    expect(await live.release(done)).toEqual({ merged: true });
    expect(await textFrom(lab.file('vm', 'disk0.vhd'), 0, 6)).toBe('during');
  });

  it('refuses a raw disk, which can have nothing over it, and reads it when the VM is off', async () => {
    await using lab = await aLab([{ folder: 'vm', disks: [{ path: 'disk0.raw' }] }]);
    await expect(capture(lab)).rejects.toMatchObject({ code: 'MABS-LAB-DISK-UNSUPPORTED' });
    await lab.simulated.setState(await idOf(lab), 'stop');
    const live = await capture(lab);
    expect(live.disks[0]!.frozenPath).toMatch(/disk0\.raw$/);
    await live.release(done);
  });

  it.each(['pause', 'save', 'crash'] as const)(
    'has a guest that cannot do an online backup run again at once: %s',
    async (whenNotOnline: WhenNotOnline) => {
      await using lab = await aLab([{ folder: 'vm', definition: { os: 'other' } }]);
      const live = await capture(lab, aCapture({ whenNotOnline }));
      expect(live.consistency).toBe('crash');
      expect(live.consistencyReason).toMatch(/\w/);
      expect((await lab.definition('vm')).state).toBe('running');
      await live.release(done);
      expect((await lab.definition('vm')).state).toBe('running');
    },
  );

  it('leaves nothing when it fails, and the VM runs', async () => {
    await using lab = await aLab([{ folder: 'vm', definition: { os: 'other' } }]);
    await lab.simulated.faults(await idOf(lab), { on: ['capture-fails'] });
    await expect(capture(lab)).rejects.toMatchObject({ code: 'MABS-HOST-CAPTURE-FAILED' });
    expect((await readdir(lab.file('vm'))).sort()).toEqual(['disk0.vhdx', 'disk0.vhdx.rct.json', 'faults.json', 'vm.json']);
    expect((await lab.definition('vm')).state).toBe('running');
  });

  it('leaves nothing when it is interrupted', async () => {
    await using lab = await aLab();
    const controller = new AbortController();
    const request = aCapture({ signal: controller.signal, journal: async () => controller.abort() });
    await expect(capture(lab, request)).rejects.toMatchObject({ code: 'MABS-INTERRUPTED' });
    expect(await overlays(lab)).toEqual([]);
    await (await capture(lab)).release(done);
  });

  it('keeps a paused VM paused', async () => {
    await using lab = await aLab([{ folder: 'vm', definition: { state: 'paused' } }]);
    const live = await capture(lab);
    expect(await overlays(lab)).toHaveLength(1);
    await live.release(done);
    expect((await lab.definition('vm')).state).toBe('paused');
  });

  it('reads through the chain of a user checkpoint, and its disk keeps its identity', async () => {
    await using lab = await aLab();
    await write(lab, 0, 'before');
    await makeDisk(lab.file('vm', 'disk0_1.avhdx'), 0, lab.file('vm', 'disk0.vhdx'));
    await writeFile(lab.file('vm', 'vm.json'), JSON.stringify({ ...(await lab.definition('vm')), disks: [{ path: 'disk0_1.avhdx' }] }));
    const vm = await lab.simulated.vmInFolder('vm');
    expect(vm.disks[0]!.key).toBe('disk0.vhdx');
    expect(vm.hostCheckpoints).toEqual([{ id: expect.any(String), name: 'disk0_1.avhdx' }]);
    const live = await capture(lab);
    await write(lab, 3, 'during');
    expect(await textFrom(live.disks[0]!.frozenPath, 0, 9)).toBe('before...');
    expect(await live.release(done)).toEqual({ merged: true });
    expect(await textFrom(lab.file('vm', 'disk0_1.avhdx'), 0, 9)).toBe('befduring');
    expect(await textFrom(lab.file('vm', 'disk0.vhdx'), 0, 9)).toBe('before...');
  });
});

describe('a capture of a VM that is not running', () => {
  it.each(['off', 'saved'])('reads the disks of one that is %s as they lie', async (state) => {
    await using lab = await aLab([{ folder: 'vm', definition: { state } }]);
    const live = await capture(lab);
    expect(await overlays(lab)).toEqual([]);
    expect(live.consistency).toBe(state === 'off' ? 'offline' : 'crash');
    expect(await live.release(done)).toEqual({ merged: true });
  });

  it.each(['start', 'write'])('reads on what it began with after a %s', async (action) => {
    await using lab = await aLab([{ folder: 'vm', definition: { state: 'off' }, disks: [{ path: 'disk0.vhdx' }, { path: 'disk1.vhdx' }] }]);
    await write(lab, 0, 'before');
    const live = await capture(lab);
    if (action === 'start') await lab.simulated.setState(await idOf(lab), 'start');
    await write(lab, 0, 'during');
    expect(await overlays(lab)).toHaveLength(2);
    expect(await textFrom(live.disks[0]!.frozenPath, 0, 6)).toBe('before');
    await live.release(done);
    expect(await textFrom(lab.file('vm', 'disk0.vhdx'), 0, 6)).toBe('during');
    expect(await overlays(lab)).toEqual([]);
  });

  it('lets another process see that it lives', async () => {
    await using lab = await aLab([{ folder: 'vm', definition: { state: 'off' } }]);
    const live = await capture(lab);
    const other = lab.reopen();
    await expect(other.host.capture(await idOf(lab), aCapture())).rejects.toMatchObject({ kind: 'locked' });
    await other.simulated.write(await idOf(lab), textAt(0, 'during'));
    expect(await textFrom(live.disks[0]!.frozenPath, 0, 6)).toBe('......');
    await live.release(done);
  });
});

describe('files are opened as on Windows', () => {
  it('a disk in use cannot be read, the frozen disk of a capture can', async () => {
    await using lab = await aLab();
    const disk = lab.file('vm', 'disk0.vhdx');
    await expect(lab.simulated.assertReadable(disk)).rejects.toMatchObject({ code: 'MABS-DISK-IN-USE' });
    const live = await capture(lab);
    await lab.simulated.assertReadable(live.disks[0]!.frozenPath);
    await expect(lab.simulated.assertReadable(lab.file('vm', (await overlays(lab))[0]!))).rejects.toMatchObject({
      code: 'MABS-DISK-IN-USE',
    });
    await live.release(done);
    await lab.simulated.setState(await idOf(lab), 'stop');
    await lab.simulated.assertReadable(disk);
  });

  it('a disk that is open cannot be merged; the next job merges it', async () => {
    await using lab = await aLab();
    await write(lab, 0, 'one');
    const live = await capture(lab);
    await write(lab, 0, 'two');
    const handle = await open(live.disks[0]!.frozenPath);
    expect(await live.release(done)).toMatchObject({ merged: false, problem: { code: 'MABS-HOST-MERGE-FAILED' } });
    await write(lab, 1, 'WO');
    await handle.close();
    expect(await lab.host.releaseLeftover({ captureId: live.id, vmId: await idOf(lab), facts: {} })).toEqual({ merged: true });
    expect(await textFrom(lab.file('vm', 'disk0.vhdx'), 0, 3)).toBe('tWO');
    expect(await overlays(lab)).toEqual([]);
  });

  it('a merge waits a moment for a handle to be closed', async () => {
    await using lab = await aLab([{ folder: 'vm' }], { mergeRetriesMs: [20, 20, 40, 200, 400] });
    const live = await capture(lab);
    const handle = await open(live.disks[0]!.frozenPath);
    const released = live.release(done);
    setTimeout(() => handle.close(), 30);
    expect(await released).toEqual({ merged: true });
  });

  it('captures go on over disks that could not be merged, and all are merged in the end', async () => {
    await using lab = await aLab();
    await lab.simulated.faults(await idOf(lab), { on: ['merge-fails'] });
    for (const [round, text] of ['aaa', 'bbb', 'ccc'].entries()) {
      const live = await capture(lab);
      await write(lab, round * 100, text);
      await write(lab, 1000, text);
      if (round > 0) expect(await textFrom(live.disks[0]!.frozenPath, 1000, 3)).toBe(['aaa', 'bbb'][round - 1]);
      expect(await live.release(done)).toMatchObject({ merged: false });
    }
    expect(await overlays(lab)).toHaveLength(3);
    await lab.simulated.faults(await idOf(lab), { off: ['all'] });
    expect(await lab.host.releaseLeftover({ captureId: 'any', vmId: await idOf(lab), facts: {} })).toEqual({ merged: true });
    const disk = lab.file('vm', 'disk0.vhdx');
    expect([await textFrom(disk, 0, 3), await textFrom(disk, 100, 3), await textFrom(disk, 200, 3), await textFrom(disk, 1000, 3)]).toEqual(
      ['aaa', 'bbb', 'ccc', 'ccc'],
    );
  });
});

describe('people who change the folder', () => {
  it('may exchange a symbolic link during a capture: what is read stays', async () => {
    await using lab = await aLab();
    const path = lab.file('vm', 'disk0.vhdx');
    await rename(path, lab.file('vm', 'day1.vhdx'));
    await makeDisk(lab.file('vm', 'day2.vhdx'));
    await writeInto(lab.file('vm', 'day2.vhdx'), 0, 'day 2');
    await symlink('day1.vhdx', path);
    const live = await capture(lab);
    expect(live.disks[0]!.path).toBe(path);
    expect(live.disks[0]!.trackingId).toBe('T0');
    await unlink(path);
    await symlink('day2.vhdx', path);
    expect(await textFrom(live.disks[0]!.frozenPath, 0, 5)).toBe('.....');
    expect(await live.release(done)).toEqual({ merged: true });
    expect(await textFrom(path, 0, 5)).toBe('day 2');
  });

  it('may replace a disk during a capture: the new one counts, what the guest wrote is set aside', async () => {
    await using lab = await aLab();
    const live = await capture(lab);
    await write(lab, 0, 'guest');
    await makeDisk(lab.file('vm', 'new.vhdx'));
    await writeInto(lab.file('vm', 'new.vhdx'), 0, 'owner');
    await rename(lab.file('vm', 'new.vhdx'), lab.file('vm', 'disk0.vhdx'));
    expect(await live.release(done)).toMatchObject({ merged: false, problem: { code: 'MABS-LAB-OVERLAY-ORPHANED' } });
    expect(await textFrom(lab.file('vm', 'disk0.vhdx'), 0, 5)).toBe('owner');
    expect((await readdir(lab.file('vm'))).filter((name) => name.endsWith('.orphan'))).toHaveLength(1);
    expect(await lab.host.releaseLeftover({ captureId: live.id, vmId: await idOf(lab), facts: {} })).toEqual({ merged: true });
    await (await capture(lab)).release(done);
  });

  it('may remove the VM during a capture', async () => {
    await using lab = await aLab();
    const live = await capture(lab);
    await rm(lab.file('vm'), { recursive: true });
    expect(await live.release(done)).toEqual({ merged: true });
  });

  it('may take a disk away during a capture: its writes are merged into it all the same', async () => {
    await using lab = await aLab([{ folder: 'vm', disks: [{ path: 'disk0.vhdx' }, { path: 'disk1.vhdx' }] }]);
    const live = await capture(lab);
    await write(lab, 0, 'kept', 'disk1.vhdx');
    await writeFile(lab.file('vm', 'vm.json'), JSON.stringify({ ...(await lab.definition('vm')), disks: [{ path: 'disk0.vhdx' }] }));
    expect(await live.release(done)).toEqual({ merged: true });
    expect(await textFrom(lab.file('vm', 'disk1.vhdx'), 0, 4)).toBe('kept');
  });

  it('may move the folder of the host while overlays wait to be merged', async () => {
    await using lab = await aLab();
    await lab.simulated.faults(await idOf(lab), { on: ['merge-fails'] });
    const live = await capture(lab);
    await write(lab, 0, 'moved');
    await live.release(done);
    await using moved = await aLab([]);
    await rename(lab.file('vm'), moved.file('vm'));
    await moved.simulated.faults(await idOf(moved), { off: ['all'] });
    expect(await moved.host.releaseLeftover({ captureId: live.id, vmId: await idOf(moved), facts: {} })).toEqual({ merged: true });
    expect(await textFrom(moved.file('vm', 'disk0.vhdx'), 0, 5)).toBe('moved');
  });

  it('may have a hard link to a disk open: it is the same file to nobody but them', async () => {
    await using lab = await aLab();
    await link(lab.file('vm', 'disk0.vhdx'), lab.file('vm', 'linked'));
    const live = await capture(lab);
    expect(await live.release(done)).toEqual({ merged: true });
  });
});

describe('faults', () => {
  it('lose change tracking', async () => {
    await using lab = await aLab();
    await lab.simulated.faults(await idOf(lab), { on: ['tracking-lost'] });
    const live = await capture(lab);
    expect(live.disks[0]!.trackingId).toBeUndefined();
    expect(await live.disks[0]!.changedSince('T0')).toEqual({ unknown: expect.any(String) });
    await live.release(done);
  });

  it('let change tracking lie', async () => {
    await using lab = await aLab();
    await write(lab, 0, 'hidden');
    await write(lab, 8192, 'told');
    await lab.simulated.faults(await idOf(lab), { on: ['tracking-lies'] });
    const live = await capture(lab);
    expect(await live.disks[0]!.changedSince('T0')).toEqual({ ranges: [{ offset: 8192, length: 4 }] });
    await live.release(done);
  });

  it('make a disk unreadable while it is captured, and only then', async () => {
    await using lab = await aLab();
    await write(lab, 3_500_000, 'the end');
    await lab.simulated.faults(await idOf(lab), { on: ['disk-read-error'] });
    const live = await capture(lab);
    await expect(textFrom(live.disks[0]!.frozenPath, 3_500_000, 7)).rejects.toThrow();
    expect(await live.release(done)).toEqual({ merged: true });
    expect((await readdir(lab.file('vm'))).filter((name) => name.includes('unreadable'))).toEqual([]);
    expect(await textFrom(lab.file('vm', 'disk0.vhdx'), 3_500_000, 7)).toBe('the end');
  });

  it('take the host away in the middle; when it is back, the VM is cleaned up', async () => {
    await using lab = await aLab();
    await lab.simulated.faults(await idOf(lab), { on: ['host-gone=2'] });
    const live = await capture(lab);
    await live.disks[0]!.changedSince('T0');
    await expect(live.disks[0]!.changedSince('T0')).rejects.toMatchObject({ code: 'MABS-HOST-UNREACHABLE' });
    expect(await live.release(done)).toMatchObject({ merged: false, problem: { code: 'MABS-HOST-UNREACHABLE' } });
    const later = lab.reopen();
    await later.simulated.faults(await idOf(lab), { off: ['host-gone'] });
    expect(await later.host.releaseLeftover({ captureId: live.id, vmId: await idOf(lab), facts: {} })).toEqual({ merged: true });
    expect(await overlays(lab)).toEqual([]);
  });

  it('are told, and unknown ones refused', async () => {
    await using lab = await aLab();
    const id = await idOf(lab);
    expect(await lab.simulated.faults(id, { on: ['merge-fails', 'host-gone=3'] })).toEqual(['merge-fails', 'host-gone=3']);
    expect(await lab.simulated.faults(id, { off: ['merge-fails'] })).toEqual(['host-gone=3']);
    expect(await lab.simulated.faults(id)).toEqual(['host-gone=3']);
    await expect(lab.simulated.faults(id, { on: ['gremlins'] })).rejects.toMatchObject({ code: 'MABS-LAB-FAULT-UNKNOWN' });
  });
});

describe('a disk that cannot be captured', () => {
  it.each([
    { what: 'missing', break: (lab: TestLab) => rm(lab.file('vm', 'disk0.vhdx')) },
    { what: 'damaged', break: (lab: TestLab) => writeFile(lab.file('vm', 'disk0.vhdx'), 'vhdxfile but no more') },
  ])('because it is $what is told with a code, and nothing is left', async ({ break: breakIt }) => {
    await using lab = await aLab();
    await breakIt(lab);
    await expect(capture(lab)).rejects.toMatchObject({ code: expect.stringMatching(/^MABS-/) });
    expect((await lab.host.listVms())[0]!.disks[0]).toMatchObject({ virtualSize: 0, problem: expect.any(String) });
    expect(await lab.host.check()).toMatchObject([{ code: 'MABS-LAB-DISK', severity: 'blocks', vm: 'vm' }]);
    expect((await readdir(lab.file('vm'))).filter((name) => name.includes('lab-state'))).toEqual([]);
    await expect(diskFormats.describe(lab.file('vm', 'disk0.vhdx'))).rejects.toMatchObject({ code: expect.stringMatching(/^MABS-/) });
  });
});

describe('what the disk under the lab does', () => {
  it('is told as a merge that failed, not thrown, and mended by the next job', async () => {
    await using lab = await aLab();
    const live = await capture(lab);
    await write(lab, 0, 'during');
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { errno: -28, code: 'ENOSPC' });
    const failing = { ...diskFormats, get: () => ({ ...diskFormats.get('vhdx'), mergeIntoParent: () => Promise.reject(full) }) };
    const broken = lab.reopen({ diskFormats: failing });
    Object.assign(lab.context, { diskFormats: failing });
    expect(await live.release(done)).toMatchObject({ merged: false, problem: { code: 'MABS-HOST-MERGE-FAILED' } });
    expect(await broken.host.releaseLeftover({ captureId: live.id, vmId: await idOf(lab), facts: {} })).toMatchObject({ merged: false });
    const mended = lab.reopen({ diskFormats });
    expect(await mended.host.releaseLeftover({ captureId: live.id, vmId: await idOf(lab), facts: {} })).toEqual({ merged: true });
    expect(await textFrom(lab.file('vm', 'disk0.vhdx'), 0, 6)).toBe('during');
  });
});
