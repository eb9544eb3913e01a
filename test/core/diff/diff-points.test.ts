import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { diffCommand } from '../../../src/cli/diff.ts';
import { diffDisks } from '../../../src/core/diff/diff-disks.ts';
import { diffPoints } from '../../../src/core/diff/diff-points.ts';
import { getPoint } from '../../../src/core/known-points.ts';
import { fakeApp } from '../../builders/fake-app.ts';
import { runCommand } from '../../builders/run-command.ts';
import { aTreeHome, type TreeHome } from '../../builders/tree-home.ts';
import { treeFileSystems } from '../../builders/tree-volume.ts';

const BLOCK = 65_536;
let tree: TreeHome;
beforeEach(async () => {
  tree = await aTreeHome([
    { name: 'web', disks: 2, state: 'off' },
    { name: 'db', state: 'off' },
  ]);
});
afterEach(async () => {
  await tree[Symbol.asyncDispose]();
});

const diff = (before: string, after: string, more = {}) => diffPoints(tree.ports, { before, after, ...more });

/** Two points of `web`; answers their ids. */
async function twoPoints(): Promise<[string, string]> {
  await tree.put('web', 1, { files: { '/same': 'x' } });
  await tree.put('web', 0, {
    files: {
      '/etc/hosts': 'localhost',
      '/etc/motd': { text: 'hello', mode: 0o644 },
      '/home/ada/old.txt': { text: 'kept', id: '12' },
      '/gone/a': 'a',
      '/link': { target: '/etc/hosts' },
      '/type': { dir: true },
      '/touched': { text: 't', modified: 1 },
    },
  });
  const [before] = await tree.point();
  await tree.put('web', 0, {
    files: {
      '/etc/hosts': 'localhost and more',
      '/etc/motd': { text: 'hello', mode: 0o600 },
      '/home/ada/new.txt': { text: 'kept', id: '12' },
      '/fresh/b': 'bb',
      '/link': { target: '/etc/motd ' },
      '/type': 'a file',
      '/touched': { text: 't', modified: 2 },
    },
  });
  const [after] = await tree.point();
  return [before!, after!];
}

describe('diff', () => {
  it('tells files that were added, removed, changed and renamed, with what changed of them', async () => {
    const { volumes, totals } = await diff(...(await twoPoints()));
    const [volume, other] = volumes;
    expect(volume).toMatchObject({ volume: '/disk0/p1', fileSystem: 'xfs', change: 'compared' });
    const told = volume!.files.map((file) => [
      file.path,
      file.change,
      ...('differs' in file ? file.differs : 'from' in file ? [file.from] : []),
    ]);
    expect(told.sort()).toEqual([
      ['/etc/hosts', 'changed', 'size'],
      ['/etc/motd', 'changed', 'mode'],
      ['/fresh', 'added'],
      ['/fresh/b', 'added'],
      ['/gone', 'removed'],
      ['/gone/a', 'removed'],
      ['/home/ada/new.txt', 'renamed', '/home/ada/old.txt'],
      ['/link', 'changed', 'target'],
      ['/touched', 'changed', 'modified'],
      ['/type', 'changed', 'type', 'size'],
    ]);
    expect(other).toEqual({ volume: '/disk1/p1', fileSystem: 'xfs', change: 'equal', files: [] });
    expect(totals).toEqual({ added: 2, removed: 2, changed: 5, renamed: 1, blocksChanged: 1, bytesChanged: BLOCK });
  });

  it('does not tell of the files in which NTFS keeps itself', async () => {
    const own = { '/$MFT': 'records', '/$Extend/$ObjId': '' };
    await tree.put('web', 0, { type: 'ntfs', files: own });
    const [before] = await tree.point();
    await tree.put('web', 0, { type: 'ntfs', files: { ...own, '/$MFT': 'more records', '/a/$MFT': 'of a user', '/$Bin': '' } });
    const [after] = await tree.point();
    const { volumes } = await diff(before!, after!);
    expect(volumes[0]!.files.map(({ path }) => path).sort()).toEqual(['/$Bin', '/a', '/a/$MFT']);
  });

  it('reads no file system whose blocks are the same', async () => {
    const [before] = await twoPoints();
    treeFileSystems.opened = 0;
    const { disks, totals } = await diff(before, before);
    expect(treeFileSystems.opened).toBe(0);
    expect(disks).toMatchObject([{ change: 'none', blocksChanged: 0, ranges: [] }, { change: 'none' }]);
    expect(totals).toMatchObject({ added: 0, removed: 0, changed: 0, renamed: 0 });
  });

  it('tells which blocks changed on each disk', async () => {
    await tree.put('web', 0, { files: {} });
    const [before] = await tree.point();
    await tree.home.write('web', 1, 3 * BLOCK - 2, 'four');
    const [after] = await tree.point();
    expect((await diff(before!, after!)).disks).toMatchObject([
      { disk: 'disk0', change: 'none' },
      { disk: 'disk1', change: 'changed', blocksChanged: 2, bytesChanged: 2 * BLOCK, ranges: [[2 * BLOCK, 2 * BLOCK]] },
    ]);
  });

  it('compares points of two VMs, disk by disk', async () => {
    await tree.put('web', 0, { files: { '/a': 'a' } });
    await tree.put('db', 0, { files: { '/b': 'b' } });
    const [web, db] = await tree.point();
    const { before, after, volumes, disks } = await diff(web!, db!);
    expect([before.vm, after.vm]).toEqual(['hv1/web', 'hv1/db']);
    expect(volumes[0]!.files.map(({ path, change }) => [path, change])).toEqual(
      expect.arrayContaining([
        ['/a', 'removed'],
        ['/b', 'added'],
      ]),
    );
    expect(disks.map(({ change }) => change)).toEqual(['changed', 'removed']);
  });

  it('says what it cannot compare, and compares the rest', async () => {
    await tree.put('web', 0, { files: {} });
    await tree.put('web', 1, { files: { '/bad': 'x', '/good': 'x' } });
    const [before] = await tree.point();
    await tree.put('web', 0, { files: {}, broken: 'damaged' });
    await tree.put('web', 1, { files: { '/bad': { damaged: true }, '/good': 'xy' } });
    const [after] = await tree.point();
    const { volumes, notes } = await diff(before!, after!);
    expect(volumes.map(({ change, files }) => [change, files.map(({ path }) => path)])).toEqual([
      ['unread', []],
      ['compared', ['/good']],
    ]);
    expect(notes).toEqual([
      'The files of /disk0/p1 were not compared: xfs: its root is gone',
      '/disk1/p1: 1 names could not be compared, the first: /bad: xfs: the inode of /bad is gone',
    ]);
  });

  it('does not count what one of the points left out', async () => {
    const [before] = await tree.point();
    await tree.home.write('web', 0, 2 * BLOCK, 'x'.repeat(3 * BLOCK));
    const [after] = await tree.point();
    const disk = async (id: string) => (await getPoint(tree.ports, id)).point.manifest.disks[0]!;
    const pair = {
      key: 'd0',
      before: { ...(await disk(before!)), leftOut: [[0, 10]] },
      after: { ...(await disk(after!)), leftOut: [[3 * BLOCK, BLOCK]] },
    };
    const found = await diffDisks(tree.home.pool, pair as never, undefined);
    expect(found).toMatchObject({ blocksChanged: 2, bytesChanged: 2 * BLOCK, bytesLeftOut: BLOCK + 10 });
    expect(found.ranges).toEqual([
      [2 * BLOCK, BLOCK],
      [4 * BLOCK, BLOCK],
    ]);
  });

  it('ends when it is told to, and names points that are not there', async () => {
    const [before, after] = await twoPoints();
    await expect(diff(before, after, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'MABS-INTERRUPTED' });
    await expect(diff('hv1/web@2001-01-01', after)).rejects.toMatchObject({ code: 'MABS-POINT-UNKNOWN' });
  });

  it('is shown with its totals, and whole as JSON', async () => {
    const [before, after] = await twoPoints();
    const app = fakeApp({ ports: async () => tree.ports as never });
    await runCommand(diffCommand(app), before, after);
    expect(app.stdout()).toContain('  ~ /etc/hosts  (9 B > 18 B)');
    expect(app.stdout()).toContain('  ~ /type  (dir > file, 0 B > 6 B)');
    expect(app.stdout()).toContain('  > /home/ada/old.txt is now /home/ada/new.txt');
    expect(app.stdout()).toContain('2 added, 2 removed, 5 changed, 1 renamed; 1 blocks changed (64 KiB)');
    const json = fakeApp({ json: true, ports: async () => tree.ports as never });
    await runCommand(diffCommand(json), before, after);
    expect(JSON.parse(json.stdout())).toEqual(JSON.parse(JSON.stringify(await diff(before, after))));
  });
});
