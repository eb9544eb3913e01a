import { describe, expect, it } from '@jest/globals';
import { extDriver } from '../../../src/filesystems/ext/ext-driver.ts';
import type { FileNode, FileSystem } from '../../../src/filesystems/file-system.ts';
import { fileTimeText } from '../../../src/lib/file-time.ts';
import { type FixtureVolume, fixtureTruth, fixtureVolume } from '../../builders/fixture-volume.ts';
import { keepsTheFileSystemContract } from '../../contracts/file-system.ts';

const volumes = new Map<string, Promise<FixtureVolume>>();

function open(name: string): Promise<FileSystem> {
  const volume = volumes.get(name) ?? fixtureVolume(name);
  volumes.set(name, volume);
  return volume.then((opened) => extDriver.open(opened));
}

async function nodeAt(system: FileSystem, path: string): Promise<FileNode> {
  let node = await system.root();
  for (const name of path.split('/').slice(1)) node = (await system.find(node, name))!;
  return node;
}

async function textOf(system: FileSystem, path: string): Promise<string> {
  const content = await system.open(await nodeAt(system, path));
  const into = new Uint8Array(content.sizeBytes);
  await content.read(0, into);
  return Buffer.from(into).toString('latin1');
}

const FIXTURES = [
  { name: 'ext2', what: 'ext2: block maps up to triple indirect, no journal', journal: 'none' },
  { name: 'ext3', what: 'ext3: block maps, a hash index of two levels', journal: 'clean' },
  { name: 'ext4', what: 'ext4: extents, 64bit, metadata_csum with a seed of its own', journal: 'clean' },
  { name: 'ext4-inline', what: 'ext4: inline files and directories, meta_bg, values in inodes', journal: 'none' },
  { name: 'ext4-bigalloc', what: 'ext4: clusters of four blocks, sparse_super2', journal: 'clean' },
  { name: 'ext4-groups', what: 'ext4: many groups with CRC-16, most of them never used', journal: 'none' },
  { name: 'ext4-casefold', what: 'ext4: directories that ignore case', journal: 'none' },
  { name: 'ext4-live', what: 'ext4 in use: a journal with checksums of every block and 64-bit numbers', journal: 'replayed' },
  { name: 'ext3-live', what: 'ext3 in use: a journal of data, with escaped blocks', journal: 'replayed' },
  { name: 'ext4-live-crc32', what: 'ext4 in use: a journal with a checksum of each transaction', journal: 'replayed' },
] as const;

describe.each(FIXTURES)('$what', ({ name, journal }) => {
  keepsTheFileSystemContract({ open: () => open(name), truth: () => fixtureTruth(name) });

  it('tells of its journal', async () => {
    expect((await open(name)).info).toMatchObject({ type: name.slice(0, 4), label: name.slice(0, 16), journal, notes: [] });
  });

  it('frees as much as its groups count', async () => {
    const system = await open(name);
    let freeBytes = 0;
    for await (const { length } of system.free()) freeBytes += length;
    expect(freeBytes).toBe(system.info.freeBytes);
  });
});

describe('ext', () => {
  it('describes itself as blkid does', async () => {
    expect((await open('ext4')).info).toMatchObject({
      type: 'ext4',
      label: 'ext4',
      uuid: '01234567-89ab-cdef-0123-456789abcdef',
      sizeBytes: 80 * 1024 * 1024,
      clusterSize: 4096,
    });
    expect((await open('ext4-bigalloc')).info.clusterSize).toBe(16_384);
  });

  it('tells times from 1901 to 2446', async () => {
    const system = await open('ext4');
    const told = async (name: string) => fileTimeText((await nodeAt(system, `/times/${name}`)).modified);
    expect(await told('-2147483648')).toBe('1901-12-13T20:45:52Z');
    expect(await told('-1')).toBe('1969-12-31T23:59:59.123456789Z');
    expect(await told('2147483648')).toBe('2038-01-19T03:14:08.123456789Z');
    expect(await told('15032385535')).toBe('2446-05-10T22:38:55Z');
    expect((await nodeAt(system, '/times/0')).created).toBeGreaterThan(0n);
  });

  it('gives extended attributes with their whole names', async () => {
    const system = await open('ext4');
    const { extendedAttributes = [] } = await system.extras(await nodeAt(system, '/attributes/few'));
    const byName = new Map(extendedAttributes.map(({ name, value }) => [name, Buffer.from(value).toString('hex')]));
    expect([...byName.keys()].sort()).toEqual(
      ['security.capability', 'system.posix_acl_access', 'trusted.key', 'user.comment', 'user.empty'].sort(),
    );
    expect(byName.get('user.comment')).toBe(Buffer.from('ключ').toString('hex'));
    expect(byName.get('trusted.key')).toBe('000102');
    expect(byName.get('user.empty')).toBe('');
    expect((await system.extras(await nodeAt(system, '/attributes/many'))).extendedAttributes).toHaveLength(20);
    expect(await system.extras(await nodeAt(system, '/content/1'))).toEqual({});
  });

  it('reads attributes whose values fill inodes of their own', async () => {
    const system = await open('ext4-inline');
    const { extendedAttributes = [] } = await system.extras(await nodeAt(system, '/attributes/large'));
    const texts = extendedAttributes.map(({ name, value }) => [name, Buffer.from(value).toString()]);
    expect(Object.fromEntries(texts)).toEqual({ 'user.large': 'large value '.repeat(1500), 'user.larger': 'another one '.repeat(5000) });
    expect(await system.extras(await nodeAt(system, '/inline/180'))).toEqual({});
  });

  it('names what is no file, directory or link', async () => {
    const system = await open('ext2');
    const special = async (name: string) => (await nodeAt(system, `/special/${name}`)).special;
    expect([await special('fifo'), await special('char'), await special('block'), await special('socket')]).toEqual([
      'fifo',
      'char-device',
      'block-device',
      'socket',
    ]);
  });

  it('reads holes and what was allocated but never written as zeros', async () => {
    const system = await open('ext4');
    const unwritten = await nodeAt(system, '/content/unwritten');
    const data = await (await system.open(unwritten)).data({ offset: 0, length: unwritten.size });
    expect(data).toEqual([{ offset: 98_304, length: 12_288 }]);
    expect((await system.allocation(unwritten)).reduce((sum, { length }) => sum + length, 0)).toBe(401_408);
    expect(await (await system.open(await nodeAt(system, '/content/hole'))).data({ offset: 0, length: 1_000_000 })).toEqual([]);
  });

  it('allocates whole clusters', async () => {
    const system = await open('ext4-bigalloc');
    for (const { offset, length } of await system.allocation(await nodeAt(system, '/content/65536'))) {
      expect([offset % 16_384, length % 16_384]).toEqual([0, 0]);
    }
    expect(await (await open('ext4-inline')).allocation(await nodeAt(await open('ext4-inline'), '/content/60'))).toEqual([]);
  });

  it('finds names regardless of case where a directory does, an exact one first', async () => {
    const system = await open('ext4-casefold');
    for (const [asked, stored] of [
      ['STRASSE', 'Straße'],
      ['gross', 'GROSS'],
      ['GRO\u0308SSE', 'Größe'],
      ['σίσυφος', 'ΣΊΣΥΦΟΣ'],
      ['number-007', 'Number-007'],
    ] as const) {
      expect(await textOf(system, `/folder/${asked}`)).toBe(Buffer.from(`${stored}\n`).toString('latin1'));
    }
    expect(await system.find(await nodeAt(system, '/folder'), 'number-999')).toBeUndefined();
    expect(await system.find(await system.root(), 'FOLDER')).toBeUndefined();
  });
});
