import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { FileNode, FileSystem } from '../../../src/filesystems/file-system.ts';
import { ntfsDriver } from '../../../src/filesystems/ntfs/ntfs-driver.ts';
import { fixtureVolume } from '../../builders/fixture-volume.ts';

const TRUTH = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'fixtures', 'filesystems', 'ntfs-special.json');

let system: FileSystem;
let truth: { readonly acls: Readonly<Record<string, string>>; readonly text: string };
beforeAll(async () => {
  system = await ntfsDriver.open(await fixtureVolume('ntfs-special'));
  truth = JSON.parse(await readFile(TRUTH, 'utf8'));
});

async function at(path: string): Promise<FileNode> {
  let node = await system.root();
  for (const name of path.split('/').slice(1)) node = (await system.find(node, name))!;
  return node;
}

async function textOf(path: string, stream?: string): Promise<string> {
  const content = await system.open(await at(path), stream);
  const bytes = Buffer.alloc(content.sizeBytes);
  await content.read(0, bytes);
  return bytes.toString();
}

describe('links', () => {
  it.each([
    { what: 'a junction', path: '/junction', target: 'C:\\target', junction: true },
    { what: 'a symbolic link to a folder', path: '/dirlink', target: 'C:\\target\\inner', junction: false },
    { what: 'a relative symbolic link', path: '/link', target: 'target\\file.txt', junction: false },
    { what: 'a link of Linux under Windows', path: '/linux-link', target: 'target/ünï', junction: false },
  ])('$what says where it leads, and is not followed', async ({ path, target, junction }) => {
    const node = await at(path);
    expect(node).toMatchObject({ type: 'link', target, junction, size: Buffer.byteLength(target) });
    await expect(system.open(node)).rejects.toMatchObject({ code: 'MABS-FILE-TYPE' });
    await expect(Array.fromAsync(system.list(node))).rejects.toMatchObject({ code: 'MABS-FILE-TYPE' });
    expect((await system.extras(node)).reparsePoint!.length).toBeGreaterThan(8);
  });

  it('have their type in the directory too', async () => {
    const types = new Map<string, string | undefined>();
    for await (const { name, type } of system.list(await system.root())) types.set(name, type);
    expect(['junction', 'dirlink', 'link', 'linux-link', 'fifo', 'xpress4k', 'target', 'streams'].map((name) => types.get(name))).toEqual([
      'link',
      'link',
      'link',
      'link',
      'other',
      'file',
      'dir',
      'file',
    ]);
  });

  it.each([
    ['fifo', 'fifo'],
    ['socket', 'socket'],
    ['chardev', 'char-device'],
    ['blockdev', 'block-device'],
  ])('and what else Linux keeps is named: %s', async (path, special) => {
    expect(await at(`/${path}`)).toMatchObject({ type: 'other', special });
  });
});

describe('files compressed by the overlay filter of Windows', () => {
  it.each([
    { path: '/xpress4k', size: 5000 },
    { path: '/lzx', size: 3000 },
  ])('show as ordinary compressed files with their content: $path', async ({ path, size }) => {
    const node = await at(path);
    expect(node).toMatchObject({ type: 'file', size });
    expect(node.attributes).toEqual(['archive', 'compressed']);
    expect(node.streams).toBeUndefined();
    expect(node.unreadable).toBeUndefined();
    expect(await textOf(path)).toBe(truth.text.slice(0, size));
    expect((await system.extras(node)).reparsePoint).toBeUndefined();
    expect((await system.allocation(node)).length).toBeGreaterThan(0);
  });
});

describe('files whose content is not on the volume', () => {
  it.each([
    { path: '/encrypted', why: 'encrypted by EFS', attribute: 'encrypted' },
    { path: '/deduplicated', why: 'deduplicated', attribute: 'deduplicated' },
    { path: '/wim', why: 'WIM image', attribute: 'reparse' },
    { path: '/in the cloud', why: 'kept in the cloud', attribute: 'reparse' },
    { path: '/moved away', why: 'offline', attribute: 'offline' },
  ])('say why in words: $path', async ({ path, why, attribute }) => {
    const node = await at(path);
    expect(node.type).toBe('file');
    expect(node.unreadable).toContain(why);
    expect(node.attributes).toContain(attribute);
    await expect(system.open(node)).rejects.toMatchObject({ code: 'MABS-FILE-UNREADABLE' });
    await expect(system.open(node)).rejects.toThrow(`${path.slice(1)} cannot be read: it is`);
  });

  it('have streams that are read all the same', async () => {
    expect(await textOf('/deduplicated', 'stream')).toBe('a stream of its own');
  });

  it('are not those that came back from the cloud, nor those with an unknown reparse point', async () => {
    expect(await textOf('/from the cloud')).toBe(truth.text.slice(0, 1500));
    expect(await textOf('/application')).toBe('');
    expect((await at('/application')).attributes).toContain('reparse');
  });
});

describe('what is kept beside the content', () => {
  it('is the security descriptor, byte for byte', async () => {
    expect(Object.keys(truth.acls)).toHaveLength(3);
    for (const [path, acl] of Object.entries(truth.acls)) {
      const { securityDescriptor } = await system.extras(await at(path));
      expect({ path, acl: Buffer.from(securityDescriptor!).toString('hex') }).toEqual({ path, acl });
    }
  });

  it('is the list of streams', async () => {
    expect((await at('/streams')).streams).toEqual(
      [0, 1, 2, 3, 4].map((number) => ({ name: `number ${number}`, size: 100 * number ** 2 })),
    );
    expect(await textOf('/streams', 'number 4')).toBe(truth.text.slice(0, 1600));
    expect(await textOf('/streams')).toBe('main');
  });

  it('is whether it is hidden', async () => {
    expect((await at('/hidden')).attributes).toEqual(['readonly', 'hidden', 'system']);
  });
});
