import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { aLab, makeDisk } from '../../builders/lab-folder.ts';

describe('the VMs of a folder', () => {
  it('are none in an empty folder, and unreachable in none', async () => {
    await using lab = await aLab([]);
    expect(await lab.host.listVms()).toEqual([]);
    expect(await lab.host.check()).toEqual([]);
    await rm(lab.path, { recursive: true });
    await expect(lab.host.listVms()).rejects.toMatchObject({ code: 'MABS-HOST-UNREACHABLE', kind: 'prerequisite' });
    await expect(lab.host.check()).rejects.toMatchObject({ code: 'MABS-HOST-UNREACHABLE' });
  });

  it('are told with what the definition leaves out', async () => {
    await using lab = await aLab([]);
    await mkdir(lab.file('bare'));
    await writeFile(lab.file('bare', 'vm.json'), '{"id":"{AAAAAAAA-0000-4000-8000-00000000000A}"}');
    expect(await lab.host.listVms()).toEqual([
      {
        id: 'aaaaaaaa-0000-4000-8000-00000000000a',
        name: 'bare',
        generation: 2,
        state: 'off',
        os: 'other',
        disks: [],
        hostCheckpoints: [],
        consistency: 'offline',
        configuration: { id: '{AAAAAAAA-0000-4000-8000-00000000000A}' },
      },
    ]);
  });

  it.each([
    ['not JSON', '{"id":', /not JSON/],
    ['empty', '', /not JSON/],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), /not JSON/],
    ['an array', '[]', /the whole file/],
    ['without an id', '{"name":"x"}', /id: /],
    ['with a state that is none', '{"id":"x","state":"dreaming"}', /state: /],
    ['with a disk without a path', '{"id":"x","disks":[{"controller":"scsi"}]}', /disks\[0\]\.path: /],
    ['with a NUL in a path', '{"id":"x","disks":[{"path":"a\\u0000b"}]}', /disks\[0\]\.path: /],
    ['with one disk twice', '{"id":"x","disks":[{"id":"d","path":"a"},{"id":"d","path":"b"}]}', /"d"/],
    ['with the id of another', '{"id":"TWIN"}', /same id/],
  ])('hide no other when one is broken: %s', async (_, content, problem) => {
    await using lab = await aLab([{ folder: 'good', definition: { id: 'twin' } }]);
    await mkdir(lab.file('zbroken'));
    await writeFile(lab.file('zbroken', 'vm.json'), content);
    expect((await lab.host.listVms()).map(({ name }) => name)).toEqual(['good']);
    expect(await lab.host.check()).toMatchObject([
      { code: 'MABS-LAB-VM-INVALID', severity: 'blocks', vm: 'zbroken', message: expect.stringMatching(problem) },
    ]);
  });

  it('are only folders that hold a vm.json, links among them', async () => {
    await using lab = await aLab([{ folder: 'vm' }]);
    await mkdir(lab.file('no-vm'));
    await mkdir(lab.file('.hidden'));
    await writeFile(lab.file('.hidden', 'vm.json'), '{"id":"h"}');
    await writeFile(lab.file('file'), '');
    await using other = await aLab([{ folder: 'linked' }]);
    await symlink(other.file('linked'), lab.file('linked'));
    expect((await lab.host.listVms()).map(({ name }) => name)).toEqual(['linked', 'vm']);
  });

  it('are found by id in any writing', async () => {
    await using lab = await aLab([{ folder: 'vm', definition: { id: '{ABCDEF00-0000-4000-8000-000000000001}', state: 'OFF' } }]);
    for (const id of [
      'abcdef00-0000-4000-8000-000000000001',
      'ABCDEF00-0000-4000-8000-000000000001',
      '{abcdef00-0000-4000-8000-000000000001}',
    ])
      expect(await lab.simulated.faults(id)).toEqual([]);
  });

  it('number two hundred without trouble', async () => {
    await using lab = await aLab([{ folder: 'vm000' }]);
    for (let number = 1; number < 200; number++) {
      const folder = `vm${String(number).padStart(3, '0')}`;
      await mkdir(lab.file(folder));
      await writeFile(lab.file(folder, 'vm.json'), JSON.stringify({ id: `id-${number}`, disks: [{ path: '../vm000/disk0.vhdx' }] }));
    }
    expect(await lab.host.listVms()).toHaveLength(200);
  });
});

describe('the disks of a VM', () => {
  it('are known by their id, else by their path', async () => {
    await using lab = await aLab([{ folder: 'vm', disks: [{ path: 'disk0.vhdx' }, { path: 'sub/disk1.vhdx' }, { path: 'disk2.vhd' }] }]);
    const disks = [{ id: 'Boot', path: 'disk0.vhdx' }, { path: '.\\sub\\disk1.vhdx' }, { path: lab.file('vm', 'disk2.vhd') }];
    await writeFile(lab.file('vm', 'vm.json'), JSON.stringify({ ...(await lab.definition('vm')), disks }));
    const vm = await lab.simulated.vmInFolder('vm');
    expect(vm.disks.map(({ key }) => key)).toEqual(['Boot', 'sub/disk1.vhdx', lab.file('vm', 'disk2.vhd')]);
    expect(vm.disks.map(({ path }) => path)).toEqual([
      lab.file('vm', 'disk0.vhdx'),
      lab.file('vm', 'sub', 'disk1.vhdx'),
      lab.file('vm', 'disk2.vhd'),
    ]);
    expect(vm.disks.map(({ format }) => format)).toEqual(['vhdx', 'vhdx', 'vhd']);
  });

  it('stay what they are under a chain of user checkpoints', async () => {
    await using lab = await aLab([{ folder: 'vm' }]);
    await makeDisk(lab.file('vm', 'a.avhdx'), 0, lab.file('vm', 'disk0.vhdx'));
    await makeDisk(lab.file('vm', 'b.avhdx'), 0, lab.file('vm', 'a.avhdx'));
    await writeFile(lab.file('vm', 'vm.json'), JSON.stringify({ ...(await lab.definition('vm')), disks: [{ path: 'b.avhdx' }] }));
    const vm = await lab.simulated.vmInFolder('vm');
    expect(vm.disks[0]!.key).toBe('disk0.vhdx');
    expect(vm.hostCheckpoints.map(({ name }) => name)).toEqual(['b.avhdx', 'a.avhdx']);
  });

  it('that hang on one parent are two disks', async () => {
    await using lab = await aLab([{ folder: 'vm' }]);
    for (const name of ['a.avhdx', 'b.avhdx']) await makeDisk(lab.file('vm', name), 0, lab.file('vm', 'disk0.vhdx'));
    await writeFile(
      lab.file('vm', 'vm.json'),
      JSON.stringify({ ...(await lab.definition('vm')), disks: [{ path: 'a.avhdx' }, { path: 'b.avhdx' }] }),
    );
    expect((await lab.simulated.vmInFolder('vm')).disks.map(({ key }) => key)).toEqual(['a.avhdx', 'b.avhdx']);
  });

  it('say when their parent is missing', async () => {
    await using lab = await aLab([{ folder: 'vm' }]);
    await makeDisk(lab.file('vm', 'child.vhdx'), 0, lab.file('vm', 'disk0.vhdx'));
    await writeFile(lab.file('vm', 'vm.json'), JSON.stringify({ ...(await lab.definition('vm')), disks: [{ path: 'child.vhdx' }] }));
    await rm(lab.file('vm', 'disk0.vhdx'));
    expect((await lab.simulated.vmInFolder('vm')).disks[0]).toMatchObject({
      key: 'child.vhdx',
      problem: expect.stringContaining('missing'),
    });
    expect(await lab.host.check()).toMatchObject([{ code: 'MABS-LAB-DISK', vm: 'vm' }]);
  });
});
