import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { diskCatCommand } from '../../../src/cli/disk/cat.ts';
import { diskFindCommand } from '../../../src/cli/disk/find.ts';
import { diskLsCommand } from '../../../src/cli/disk/ls.ts';
import { type FakeApp, fakeApp } from '../../builders/fake-app.ts';
import { fixtureTruth, fixtureVolume } from '../../builders/fixture-volume.ts';
import { runMabs } from '../../builders/mabs-process.ts';
import { runCommand } from '../../builders/run-command.ts';
import { type Tree, treeFileSystems, treeVolume } from '../../builders/tree-volume.ts';

let folder: string;
let image: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mabs-look-'));
  image = await anImage('web.raw', {
    files: {
      '/etc/fstab': { text: '/dev/sda1 / xfs', mode: 0o640 },
      '/etc/mtab': { target: '../proc/self/mounts' },
      '/var/a.log': 'one',
      '/var/\u001b[31mred.log': 'two',
      '/gone': { damaged: true },
    },
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function anImage(name: string, tree: Tree): Promise<string> {
  await writeFile(join(folder, name), treeVolume(tree));
  return join(folder, name);
}

const looking = (overrides: Parameters<typeof fakeApp>[0] = {}): FakeApp =>
  fakeApp({ fileSystems: async () => treeFileSystems, ...overrides });

describe('mabs disk ls', () => {
  it('prints the fields of the contract as JSON', async () => {
    const app = looking({ json: true });
    await runCommand(diskLsCommand(app), `${image}:/p1/etc`);
    expect(JSON.parse(app.stdout())).toEqual([
      { path: '/etc/fstab', type: 'file', size: 15, modified: '2023-11-14T22:13:20Z', mode: 0o640 },
      { path: '/etc/mtab', type: 'link', size: 19, modified: '2023-11-14T22:13:20Z', mode: 0o644, target: '../proc/self/mounts' },
    ]);
    expect(app.exitCode()).toBe(0);
  });

  it('lists the volumes of an image, and all that is on them', async () => {
    const app = looking({ json: true });
    await runCommand(diskLsCommand(app), image);
    expect(JSON.parse(app.stdout())).toEqual([{ path: '/p1', type: 'dir', size: 8192, modified: null, fileSystem: 'xfs' }]);
    const all = looking({ json: true });
    await runCommand(diskLsCommand(all), image, '--recursive');
    expect(JSON.parse(all.stdout()).map(({ path }: { path: string }) => path)).toContain('/p1/etc/fstab');
  });

  it('ends with exit code 4 when an entry is damaged, and lists the others', async () => {
    const app = looking();
    await runCommand(diskLsCommand(app), `${image}:/p1`);
    expect(app.stdout()).toContain('/gone  damaged: xfs: the inode of /gone is gone');
    expect(app.stdout()).toContain('/var');
    expect(app.stderr()).toContain('One entry is damaged');
    expect(app.exitCode()).toBe(4);
  });

  it('tells on stderr what is to be known of the volume, and so do cat and find', async () => {
    const dirty = await anImage('dirty.raw', { files: { '/a': 'x' }, journal: 'dirty', notes: ['Not all of it is seen.'] });
    for (const [command, ...words] of [
      [diskLsCommand, `${dirty}:/p1`],
      [diskLsCommand, dirty],
      [diskFindCommand, dirty, 'a'],
      [diskCatCommand, `${dirty}:/p1/a`],
    ] as const) {
      const app = looking({ json: true });
      await runCommand(command(app), ...words);
      expect(app.stderr()).toBe('/p1: Not all of it is seen.\n');
      expect(app.exitCode()).toBe(0);
    }
  });

  it('shows modes, sizes and where links lead', async () => {
    const app = looking();
    await runCommand(diskLsCommand(app), `${image}:/p1/etc/`);
    expect(app.stdout()).toBe(
      [
        '-rw-r-----       15 B  2023-11-14 22:13:20  /etc/fstab',
        'lrw-r--r--       19 B  2023-11-14 22:13:20  /etc/mtab -> ../proc/self/mounts',
        '',
      ].join('\n'),
    );
  });

  it('says that an image, a volume or a path is not there', async () => {
    const fails = (text: string) => expect(runCommand(diskLsCommand(looking()), text)).rejects;
    await fails(join(folder, 'none.raw:/p1')).toMatchObject({ code: 'MABS-FILE-MISSING' });
    await fails(`${image}:/p9`).toMatchObject({ code: 'MABS-VOLUME-UNKNOWN', hint: 'It has /p1.' });
    await fails(`${image}:/p1/ect`).toMatchObject({ code: 'MABS-FILE-UNKNOWN', hint: 'Did you mean /etc?' });
    await fails(`${image}:/etc`).toMatchObject({ code: 'MABS-NAME-UNREADABLE' });
  });
});

describe('mabs disk cat', () => {
  it('prints the bytes of a file and of a volume', async () => {
    const app = looking();
    await runCommand(diskCatCommand(app), `${image}:/p1/etc/fstab`);
    expect(app.stdout()).toBe('/dev/sda1 / xfs');
    const volume = looking();
    await runCommand(diskCatCommand(volume), `${image}:/p1`);
    expect(volume.stdoutBytes()).toHaveLength(8192);
  });

  it('stops when nobody reads on', async () => {
    const big = join(folder, 'big.raw');
    await writeFile(big, new Uint8Array(3 << 20));
    let pieces = 0;
    const app = looking({ writeOut: async () => ++pieces < 2 });
    await runCommand(diskCatCommand(app), big);
    expect(pieces).toBe(2);
  });

  it('refuses folders and links', async () => {
    const fails = (path: string) => expect(runCommand(diskCatCommand(looking()), `${image}:/p1${path}`)).rejects;
    await fails('/etc').toMatchObject({ code: 'MABS-FILE-TYPE' });
    await fails('/etc/mtab').toMatchObject({ message: expect.stringContaining('link to ../proc/self/mounts') });
  });
});

describe('mabs disk find', () => {
  it('finds names at any depth, in one volume or in all', async () => {
    const app = looking({ json: true });
    await runCommand(diskFindCommand(app), `${image}:/p1/var`, '*.log');
    expect(JSON.parse(app.stdout()).map(({ path }: { path: string }) => path)).toEqual(['/var/\u001b[31mred.log', '/var/a.log']);
    const all = looking({ json: true });
    await runCommand(diskFindCommand(all), image, '/p1/etc/f*');
    expect(JSON.parse(all.stdout()).map(({ path }: { path: string }) => path)).toEqual(['/p1/etc/fstab']);
    expect(all.stderr()).not.toContain('Nothing fits');
    const none = looking();
    await runCommand(diskFindCommand(none), image, 'no such name');
    expect([none.stdout(), none.stderr(), none.exitCode()]).toEqual(['', 'Nothing fits no such name.\n', 0]);
  });
});

describe('the program', () => {
  it('lists a whole volume as one JSON array, and prints any of its files', async () => {
    const volume = await fixtureVolume('ext4-casefold');
    const bytes = new Uint8Array(volume.sizeBytes);
    await volume.read(0, bytes);
    const path = join(folder, 'ext4.raw');
    await writeFile(path, bytes);
    const { exitCode, stdout } = await runMabs(folder, ['disk', 'ls', '--json', '--recursive', `${path}:/p1`]);
    expect(exitCode).toBe(0);
    const { entries } = await fixtureTruth('ext4-casefold');
    const told = new Set((JSON.parse(stdout) as { path: string }[]).map((file) => file.path));
    expect(entries.filter((entry) => !told.has(entry.path))).toEqual([]);
  });

  it('lets no control characters of names reach the terminal', async () => {
    const { exitCode, stderr } = await runMabs(folder, ['disk', 'ls', `${image}:/p1/\u001b[31mred`]);
    expect(exitCode).not.toBe(0);
    expect(stderr).not.toContain('\u001b');
  });
});
