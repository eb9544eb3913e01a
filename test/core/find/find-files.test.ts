import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findFiles } from '../../../src/core/find/find-files.ts';
import { ListingCache } from '../../../src/core/find/listing-cache.ts';
import { systemRandom } from '../../../src/lib/random.ts';
import { aTreeHome, type TreeHome } from '../../builders/tree-home.ts';
import { treeFileSystems } from '../../builders/tree-volume.ts';

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

const find = (glob: string, more = {}) => findFiles(tree.ports, { glob, ...more });

/** Three points of `web`, in which one file has two versions, and another comes and goes. */
async function threePoints(): Promise<string[]> {
  const ids: string[] = [];
  const notes = (text: string, modified: number) => ({ '/home/ada/notes.txt': { text, modified, id: '7' } });
  for (const files of [
    notes('first', 1_700_000_000),
    { ...notes('first', 1_700_000_000), '/tmp/notes.TXT': 'other' },
    notes('second', 1_700_000_500),
  ]) {
    await tree.put('web', 0, { files });
    ids.push((await tree.point())[0]!);
  }
  return ids;
}

describe('find', () => {
  it('tells which points hold which version of a file, and what to recover', async () => {
    const ids = await threePoints();
    const { files, points } = await find('notes.txt');
    expect(points).toBe(6);
    expect(files).toEqual([
      {
        vm: 'hv1/web',
        path: '/disk0/p1/home/ada/notes.txt',
        versions: [
          {
            ...{
              type: 'file',
              size: 5,
              modified: '2023-11-14T22:13:20Z',
              points: 2,
              source: `hv1/web@${ids[1]}:/disk0/p1/home/ada/notes.txt`,
            },
            ...{ first: { id: ids[0], capturedAt: expect.any(String) }, last: { id: ids[1], capturedAt: expect.any(String) } },
          },
          {
            ...{
              type: 'file',
              size: 6,
              modified: '2023-11-14T22:21:40Z',
              points: 1,
              source: `hv1/web@${ids[2]}:/disk0/p1/home/ada/notes.txt`,
            },
            ...{ first: { id: ids[2], capturedAt: expect.any(String) }, last: { id: ids[2], capturedAt: expect.any(String) } },
          },
        ],
      },
    ]);
  });

  it('lists a volume once for all points in which it is the same, and not again the next time', async () => {
    await tree.put('web', 0, { files: { '/a': 'a' } });
    await tree.put('db', 0, { files: { '/b': 'b' } });
    for (let count = 0; count < 3; count++) await tree.point();
    treeFileSystems.opened = 0;
    expect((await find('?')).files.map(({ versions }) => versions[0]!.points)).toEqual([3, 3]);
    expect(treeFileSystems.opened).toBe(2);
    expect((await find('*')).files).toHaveLength(2);
    expect(treeFileSystems.opened).toBe(2);
  });

  it('reads a volume again whose listing is damaged', async () => {
    await threePoints();
    const first = await find('*');
    const folder = join(tree.ports.home.path, 'listings');
    for (const [index, name] of (await readdir(folder)).entries()) {
      await writeFile(join(folder, name), index === 0 ? '' : Buffer.from('28b52ffd000000', 'hex'));
    }
    expect(await find('*')).toEqual(first);
  });

  it('keeps no names of an encrypted pool outside of it', async () => {
    Object.assign(tree.home.pool.info, { encrypted: true });
    await threePoints();
    expect((await find('notes.txt')).files).toHaveLength(1);
    expect(await readdir(join(tree.ports.home.path, 'listings')).catch(() => [])).toEqual([]);
  });

  it('looks at the points of one VM, or since a time, alone', async () => {
    await tree.put('db', 0, { files: { '/notes.txt': 'b' } });
    await threePoints();
    expect((await find('notes.txt', { vm: 'hv1/db' })).files).toMatchObject([{ vm: 'hv1/db', versions: [{ points: 3 }] }]);
    expect(await find('notes.txt', { since: '2200-01-01' })).toEqual({ files: [], points: 0, notes: [] });
    await expect(find('*', { vm: 'hv1/nobody' })).rejects.toMatchObject({ code: 'MABS-VM-UNKNOWN' });
    await expect(find('*', { since: 'yesterday' })).rejects.toMatchObject({ kind: 'usage' });
  });

  it('names each volume that cannot be read once, and finds what lies on the others', async () => {
    await tree.put('web', 0, { files: {}, broken: 'unsupported' });
    await tree.put('web', 1, { files: { '/good': 'x', '/gone': { damaged: true } } });
    for (let count = 0; count < 2; count++) await tree.point();
    const { files, notes } = await find('*');
    expect(files.map(({ path }) => path)).toEqual(['/disk1/p1/good']);
    expect(notes).toEqual([
      'hv1/web:/disk0/p1 was not searched: the volume is xfs of the year 3000',
      'hv1/web:/disk1/p1: 1 names could not be read, the first: /gone: xfs: the inode of /gone is gone',
    ]);
  });

  it('ends when it is told to, and leaves no half listing', async () => {
    await threePoints();
    const controller = new AbortController();
    const onStep = () => controller.abort();
    await expect(find('*', { signal: controller.signal, onStep })).rejects.toMatchObject({ code: 'MABS-INTERRUPTED' });
    expect(await readdir(join(tree.ports.home.path, 'listings')).catch(() => [])).toEqual([]);
  });
});

describe('the cache of listings', () => {
  it('is not believed where another version of the readers made it', async () => {
    const cache = new ListingCache(tree.ports.home.path, systemRandom);
    const writer = await cache.write('a');
    await writer.close(true);
    expect(await cache.read('a', () => {})).toBe(true);
    await writeFile(join(tree.ports.home.path, 'listings', 'a.list.zst'), zstdCompressSync('["/x","file",1,"","1"]\nend\n'));
    expect(await cache.read('a', () => {})).toBe(false);
  });

  it('removes what was not used longest when it grows too large', async () => {
    const cache = new ListingCache(tree.ports.home.path, systemRandom, 150);
    for (const identity of ['a', 'b', 'c']) {
      const writer = await cache.write(identity);
      await writer.add({ path: `/\ud800 ${identity.repeat(50)}\n`, type: 'file', size: 1, id: '1' });
      await writer.close(true);
      const files: unknown[] = [];
      expect(await cache.read(identity, (file) => files.push(file))).toBe(true);
      expect(files).toEqual([{ path: `/\ud800 ${identity.repeat(50)}\n`, type: 'file', size: 1, id: '1' }]);
    }
    await cache.shrink(Date.now());
    const kept = await readdir(join(tree.ports.home.path, 'listings'));
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.length).toBeLessThan(3);
    expect(kept).toContain('c.list.zst');
    expect(await cache.read('a', () => {})).toBe(false);
  });
});
