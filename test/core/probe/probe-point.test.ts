import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pointShowCommand } from '../../../src/cli/point/show.ts';
import { probePoint } from '../../../src/core/probe/probe-point.ts';
import type { ProbeReport } from '../../../src/core/probe/probe-report.ts';
import { fakeApp } from '../../builders/fake-app.ts';
import { aRegistryHive, aSoftwareHive } from '../../builders/registry-hive.ts';
import { runCommand } from '../../builders/run-command.ts';
import { aTreeHome, type TreeHome } from '../../builders/tree-home.ts';
import type { Tree, TreeFile } from '../../builders/tree-volume.ts';

const base64 = (bytes: Uint8Array) => ({ base64: Buffer.from(bytes).toString('base64') });

const WINDOWS: Record<string, TreeFile | string> = {
  '/Windows/System32/winload.efi': 'MZ…',
  '/Windows/System32/config/SYSTEM': base64(aRegistryHive({})),
  '/Windows/System32/config/SOFTWARE': base64(
    aSoftwareHive({ ProductName: 'Windows 10 Pro', CurrentBuild: '22631', UBR: 7, DisplayVersion: '23H2', InstallationType: 'Client' }),
  ),
};
const EFI: Tree = { type: 'vfat', files: { '/efi/microsoft/BOOT/bootmgfw.efi': 'MZ…' } };
const LINUX: Record<string, TreeFile | string> = {
  '/etc/os-release': { target: '../usr/lib/os-release' },
  '/usr/lib/os-release': 'ID=debian\nPRETTY_NAME="Debian \\"GNU\\"/Linux 12"\nVERSION_ID=12\n',
  '/etc/fstab': '/dev/sda1 / xfs',
  '/boot/vmlinuz': { target: '/boot/vmlinuz-6.1' },
  '/boot/vmlinuz-6.1': 'kernel',
  '/boot/initrd.img-6.1': 'initrd',
  '/boot/grub/grub.cfg': 'menu',
};

let tree: TreeHome;
beforeEach(async () => {
  tree = await aTreeHome([{ name: 'web', disks: 2, state: 'off' }]);
});
afterEach(async () => {
  await tree[Symbol.asyncDispose]();
});

async function probe(...disks: (Tree | undefined)[]): Promise<ProbeReport> {
  for (const [index, content] of disks.entries()) if (content) await tree.put('web', index, content);
  const [id] = await tree.point();
  return await probePoint(tree.ports, id!);
}

const told = ({ checks }: ProbeReport, ...names: string[]) =>
  checks.filter(({ name }) => names.includes(name)).map(({ name, place, status }) => `${name} ${place} ${status}`);
const failed = ({ checks }: ProbeReport) =>
  checks.filter(({ status }) => status === 'failed').map(({ place, detail }) => `${place}: ${detail}`);

describe('the probe of a point', () => {
  it('finds a Windows that can start, and names it', async () => {
    const report = await probe({ type: 'ntfs', files: WINDOWS, freeBytes: 1_000_000 }, EFI);
    expect(report.status).toBe('ok');
    expect(report.systems).toEqual([{ family: 'windows', name: 'Windows 11 Pro', version: '23H2', build: '22631.7', place: '/disk0/p1' }]);
    expect(told(report, 'system files', 'boot loader', 'journal', 'free space', 'partition table')).toEqual([
      'partition table /disk0 ok',
      'partition table /disk1 ok',
      'journal /disk0/p1 ok',
      'free space /disk0/p1 ok',
      'journal /disk1/p1 ok',
      'free space /disk1/p1 ok',
      'system files /disk0/p1 ok',
      'system files /disk0/p1 ok',
      'boot loader /disk1/p1 ok',
    ]);
  });

  it('counts what is free where the file system does not say, and only where its maps can be trusted', async () => {
    const spaceOf = (report: ProbeReport) => report.checks.filter(({ name }) => name === 'free space');
    const counted = await probe({
      files: {},
      free: [
        [4096, 8192],
        [65_536, 4096],
      ],
    });
    expect(spaceOf(counted)).toEqual([
      { name: 'free space', place: '/disk0/p1', status: 'warn', detail: expect.stringMatching(/^12 KiB of /) },
    ]);
    expect(spaceOf(await probe({ files: {}, journal: 'dirty' }))).toEqual([]);
    const damaged = await probe({ files: {}, free: 'damaged' });
    expect(spaceOf(damaged)).toEqual([
      { name: 'free space', place: '/disk0/p1', status: 'failed', detail: 'xfs: its map of free space is gone' },
    ]);
    expect(damaged.status).toBe('failed');
  });

  it('finds a Linux that can start, its os-release behind a link', async () => {
    const report = await probe({ files: LINUX });
    expect(report.status).toBe('ok');
    expect(report.systems).toEqual([{ family: 'linux', name: 'Debian "GNU"/Linux 12', version: '12', place: '/disk0/p1' }]);
    expect(report.checks.map(({ detail }) => detail)).toEqual(
      expect.arrayContaining([
        'kernel: /boot/vmlinuz, /boot/vmlinuz-6.1',
        'initial RAM disk: /boot/initrd.img-6.1',
        'boot loader: /boot/grub',
      ]),
    );
  });

  it('finds kernels on a volume of their own', async () => {
    const { '/boot/vmlinuz': _, '/boot/vmlinuz-6.1': kernel, '/boot/initrd.img-6.1': initrd, ...root } = LINUX;
    const report = await probe({ files: root }, { files: { '/vmlinuz-6.1': kernel!, '/initramfs-6.1.img': initrd! } });
    expect(report.status).toBe('ok');
  });

  it('fails where a system file is missing, empty, of another kind or unreadable', async () => {
    const { '/Windows/System32/winload.efi': _, ...noLoader } = WINDOWS;
    expect(failed(await probe({ type: 'ntfs', files: noLoader }, EFI))).toEqual([
      '/disk0/p1: there is neither winload.efi nor winload.exe in /Windows/System32',
    ]);
    expect(failed(await probe({ type: 'ntfs', files: { ...WINDOWS, '/Windows/System32/config/SYSTEM': 'no hive'.padEnd(5000) } }))).toEqual(
      ['/disk0/p1: /Windows/System32/config/SYSTEM: the registry hive is damaged: it does not begin as a hive does'],
    );
    expect(
      failed(await probe({ type: 'ntfs', files: WINDOWS }, { type: 'vfat', files: { '/EFI/Microsoft/Boot/bootmgfw.efi': '' } })),
    ).toEqual(['/disk1/p1: /EFI/Microsoft/Boot/bootmgfw.efi is empty']);
    expect(failed(await probe({ type: 'ntfs', files: WINDOWS }, { files: {} }))).toEqual([': there is neither /bootmgr nor bootmgfw.efi']);
    const kernel = { '/boot/vmlinuz-6.1': { text: 'x', unreadable: 'its extents are damaged' } };
    expect(failed(await probe({ files: { ...LINUX, ...kernel } }))).toEqual([
      '/disk0/p1: /boot/vmlinuz xfs: its extents are damaged',
      '/disk0/p1: /boot/vmlinuz-6.1 xfs: its extents are damaged',
      ': no kernel was found',
    ]);
    expect(failed(await probe({ files: { ...LINUX, '/boot/vmlinuz': '\0\0', '/boot/vmlinuz-6.1': '\0' } }))).toEqual([
      '/disk0/p1: /boot/vmlinuz holds zeros',
      '/disk0/p1: /boot/vmlinuz-6.1 holds zeros',
      ': no kernel was found',
    ]);
  });

  it('fails where a file system does not open or its root is damaged, and looks at the others', async () => {
    const report = await probe({ files: {}, broken: 'damaged' }, { files: { '/x': { damaged: true } } });
    expect(failed(report)).toEqual(['/disk0/p1: xfs: its root is gone', '/disk1/p1: xfs: the inode of /x is gone']);
  });

  it('warns of pending changes, of little room, and of what cannot be looked into', async () => {
    const report = await probe({ files: LINUX, journal: 'dirty', freeBytes: 1000 }, { files: {}, broken: 'unsupported' });
    expect(report.status).toBe('warn');
    expect(told(report, 'journal', 'free space', 'file system')).toEqual([
      'file system /disk0/p1 ok',
      'journal /disk0/p1 warn',
      'free space /disk0/p1 warn',
      'file system /disk1/p1 warn',
    ]);
  });

  it('is content with disks that hold data alone', async () => {
    await tree.home.change('web', (definition) => {
      definition.os = 'other';
    });
    const report = await probe({ files: { '/data/a': 'a' } }, { files: {} });
    expect([report.status, report.systems]).toEqual(['ok', []]);
  });

  it('follows no link out of its volume, nor in circles', async () => {
    const links = {
      '/etc/os-release': { target: '/a/b' },
      '/a/b': { target: '../../../../a/c' },
      '/a/c': { target: 'b' },
      '/etc/fstab': 'x',
    };
    expect((await probe({ files: links })).systems).toEqual([{ family: 'linux', name: 'Linux', place: '/disk0/p1' }]);
  });

  it('is shown by point show, and ends with 4 where something is damaged', async () => {
    await tree.put('web', 0, { files: {}, broken: 'damaged' });
    const [id] = await tree.point();
    const app = fakeApp({ ports: async () => tree.ports as never });
    await runCommand(pointShowCommand(app), id!, '--probe');
    expect(app.stdout()).toMatch(/failed\s+\/disk0\/p1\s+file system\s+xfs: its root is gone/);
    expect(app.exitCode()).toBe(4);
    const plain = fakeApp({ json: true, ports: async () => tree.ports as never });
    await runCommand(pointShowCommand(plain), id!);
    expect(JSON.parse(plain.stdout())).not.toHaveProperty('probe');
    const json = fakeApp({ json: true, ports: async () => tree.ports as never });
    await runCommand(pointShowCommand(json), id!, '--probe');
    expect(JSON.parse(json.stdout()).probe).toEqual(await probePoint(tree.ports, id!));
  });
});
