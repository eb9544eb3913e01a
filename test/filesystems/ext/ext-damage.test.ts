import { beforeAll, describe, expect, it } from '@jest/globals';
import { extDriver } from '../../../src/filesystems/ext/ext-driver.ts';
import {
  type FileNode,
  type FileSystem,
  FileSystemDamagedError,
  FileSystemUnsupportedError,
  FileTypeError,
  FileUnreadableError,
} from '../../../src/filesystems/file-system.ts';
import { memorySource } from '../../../src/lib/byte-source.ts';
import { type TinyExt, tinyExt, tinyInode, withJournal } from '../../builders/tiny-ext.ts';

let ext4: TinyExt;
let plain: TinyExt;
let ext2: TinyExt;
beforeAll(async () => {
  [ext4, plain, ext2] = await Promise.all([tinyExt('ext-tiny-ext4'), tinyExt('ext-tiny-ext4-plain'), tinyExt('ext-tiny-ext2')]);
});

const SUPERBLOCK = 1024;
const open = (bytes: Uint8Array) => extDriver.open(memorySource(bytes));

/** The volume with what `change` does to it; `fix`: its checksums are right. */
function changed(tiny: TinyExt, change: (view: DataView) => void, fix = true): Uint8Array {
  const bytes = tiny.bytes.slice();
  change(new DataView(bytes.buffer));
  if (fix) tiny.fix(bytes);
  return bytes;
}

async function find(system: FileSystem, path: string): Promise<FileNode> {
  let node = await system.root();
  for (const name of path.split('/').slice(1)) node = (await system.find(node, name))!;
  return node;
}

async function firstByte(system: FileSystem, path: string): Promise<string> {
  const into = new Uint8Array(1);
  await (await system.open(await find(system, path))).read(0, into);
  return String.fromCharCode(into[0]!);
}

async function rootNames(system: FileSystem): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of system.list(await system.root())) names.push(name);
  return names.sort();
}

async function extentsOf(path: string) {
  const inode = await tinyInode(ext4, path);
  return ext4.checked.find((checked) => checked.kind === 'extents' && checked.inode === inode)!;
}

const ALL = ['fast', 'folder', 'indexed', 'indirect', 'journal', 'slow', 'small', 'sparse'];

describe('damage of one file', () => {
  it('in its inode is told for that file alone', async () => {
    const inode = await tinyInode(ext4, '/small');
    const system = await open(changed(ext4, (view) => view.setUint8(ext4.positionOf(inode) + 20, 1), false));
    expect(await rootNames(system)).toEqual(ALL);
    await expect(find(system, '/small')).rejects.toThrow(`inode ${inode} does not have its checksum`);
    expect(await firstByte(system, '/folder/file')).toBe('f');
  });

  it('in its extents leaves others readable', async () => {
    const place = await extentsOf('/sparse');
    const system = await open(changed(ext4, (view) => view.setUint8(place.block * ext4.blockSize + 20, 99), false));
    await expect(firstByte(system, '/sparse')).rejects.toThrow('does not have its checksum');
    expect(await firstByte(system, '/indirect')).toBe('i');
  });

  it('in extents that lead to themselves ends', async () => {
    const place = await extentsOf('/sparse');
    const at = place.block * ext4.blockSize;
    const looped = changed(ext4, (view) => {
      view.setUint16(ext4.positionOf(place.inode) + 40 + 6, 2, true);
      view.setUint16(at + 6, 1, true);
      view.setUint16(at + 2, 1, true);
      view.setUint32(at + 12, 0, true);
      view.setUint32(at + 16, place.block, true);
      view.setUint16(at + 20, 0, true);
    });
    await expect(firstByte(await open(looped), '/sparse')).rejects.toThrow(`lead to block ${place.block} twice`);
  });

  it('in a block map that leads to itself ends', async () => {
    const inode = await tinyInode(ext2, '/sparse');
    const at = ext2.positionOf(inode) + 40;
    const block = new DataView(ext2.bytes.buffer).getUint32(at + 48, true);
    const looped = changed(ext2, (view) => {
      view.setUint32(at + 52, block, true);
      view.setUint32(block * ext2.blockSize, block, true);
    });
    const content = await (await open(looped)).open(await find(await open(looped), '/sparse'));
    await expect(content.data({ offset: 0, length: content.sizeBytes })).rejects.toThrow(`leads to block ${block} twice`);
  });

  it('in a block of a directory leaves its other names, which come first', async () => {
    const inode = await tinyInode(ext4, '/indexed');
    const damaged = changed(ext4, (view) => view.setUint8(ext4.placeOf(inode, 2) + 9, 0x41), false);
    const system = await open(damaged);
    const names: string[] = [];
    const reading = (async () => {
      for await (const { name } of system.list(await find(system, '/indexed'))) names.push(name);
    })();
    await expect(reading).rejects.toThrow(FileSystemDamagedError);
    expect(names.length).toBeGreaterThan(12);
    expect(names.length).toBeLessThan(24);
  });

  it('in its attributes leaves its content readable', async () => {
    const place = ext4.checked.find(({ kind }) => kind === 'attributes');
    const block = place ?? plain.checked.find(({ kind }) => kind === 'attributes')!;
    const tiny = place ? ext4 : plain;
    const system = await open(changed(tiny, (view) => view.setUint32(block.block * tiny.blockSize, 1, true), false));
    for (const path of ['/folder/file', '/small']) expect((await firstByte(system, path)).length).toBe(1);
  });
});

describe('the superblock', () => {
  it('names features that this version does not read', async () => {
    const unknown = changed(ext4, (view) =>
      view.setUint32(SUPERBLOCK + 96, view.getUint32(SUPERBLOCK + 96, true) | 0x1000 | 0x40000, true),
    );
    await expect(open(unknown)).rejects.toThrow(FileSystemUnsupportedError);
    await expect(open(unknown)).rejects.toThrow('dirdata, incompat 0x40000');
  });

  it('makes a volume dirty that it does not call whole, and says why', async () => {
    const state = async (change: (view: DataView) => void) => (await open(changed(ext4, change))).info;
    expect(await state((view) => view.setUint16(SUPERBLOCK + 58, 0, true))).toMatchObject({
      journal: 'dirty',
      notes: ['It was not unmounted, and has no journal.'],
    });
    expect(await state((view) => view.setUint16(SUPERBLOCK + 58, 3, true))).toMatchObject({ journal: 'dirty' });
    expect(await state((view) => view.setUint32(SUPERBLOCK + 100, view.getUint32(SUPERBLOCK + 100, true) | 0x80000, true))).toMatchObject({
      journal: 'dirty',
      notes: ['It has features that this version does not know: ro_compat 0x80000.'],
    });
    expect((await state((view) => view.setUint32(SUPERBLOCK + 232, 13, true))).notes[0]).toContain('were deleted or cut while open');
  });

  it('is replaced by a copy when it is damaged', async () => {
    // A second group of the usual size, made of the first: only its copy of the superblock matters.
    const bytes = new Uint8Array(8194 * 1024 + 1024);
    bytes.set(ext2.bytes);
    const copy = 8193 * 1024;
    bytes.set(ext2.bytes.subarray(1024, 2048), copy);
    const view = new DataView(bytes.buffer);
    view.setUint16(copy + 90, 1, true);
    bytes.fill(0, 1024, 2048);
    const system = await open(bytes);
    expect(await rootNames(system)).toEqual(ALL);
    expect(system.info).toMatchObject({ journal: 'dirty', notes: ['A copy of the superblock is used, since there is no superblock.'] });
    view.setUint16(copy + 90, 3, true);
    await expect(open(bytes)).rejects.toThrow(FileSystemDamagedError);
  });

  it('opens a volume that was cut off, as far as it goes', async () => {
    const cut = plain.bytes.subarray(0, plain.bytes.length - 20 * 1024);
    const system = await open(cut);
    expect(system.info).toMatchObject({ sizeBytes: cut.length, journal: 'dirty' });
    expect(await rootNames(system)).toEqual(ALL);
  });
});

describe('free space', () => {
  it('is none in a group whose bitmap or descriptor is not right', async () => {
    const bitmap = new DataView(ext4.bytes.buffer).getUint32(2 * 1024, true);
    for (const at of [bitmap * 1024 + 3, 2 * 1024 + 12]) {
      const system = await open(changed(ext4, (view) => view.setUint8(at, view.getUint8(at) ^ 1), false));
      expect(await Array.fromAsync(system.free())).toEqual([]);
      expect(await rootNames(system)).toEqual(ALL);
    }
  });

  it('is looked for on the volume only, however many groups a superblock claims', async () => {
    const bytes = changed(ext4, (view) => view.setUint32(SUPERBLOCK + 336, 0x400, true));
    let reads = 0;
    const source = memorySource(bytes);
    const system = await extDriver.open({
      sizeBytes: bytes.length,
      read: (offset, into) => {
        reads += 1;
        return source.read(offset, into);
      },
    });
    await Array.fromAsync(system.free());
    expect(reads).toBeLessThan(40);
  });

  it('is none where a bitmap without a checksum does not know the inodes of its group', async () => {
    const bitmap = new DataView(ext2.bytes.buffer).getUint32(2 * 1024, true);
    expect(await Array.fromAsync((await open(ext2.bytes)).free())).not.toEqual([]);
    const system = await open(changed(ext2, (view) => view.setUint8(bitmap * 1024, 0)));
    expect(await Array.fromAsync(system.free())).toEqual([]);
  });
});

describe('the journal of a volume', () => {
  it('is replayed', async () => {
    const root = ext4.placeOf(2, 0);
    const content = ext4.bytes.slice(root, root + 1024);
    const renamed = changed(ext4, (view) => {
      Buffer.from(view.buffer).write('SMALL', Buffer.from(content).indexOf('small') + root);
    });
    const write = { block: root / 1024, content: renamed.slice(root, root + 1024) };
    const volume = await withJournal(ext4, { checksums: 'v3', transactions: [{ writes: [write] }] });
    const system = await open(volume);
    expect(await rootNames(system)).toEqual(ALL.map((name) => (name === 'small' ? 'SMALL' : name)).sort());
    expect(system.info).toMatchObject({ journal: 'replayed', notes: [] });
  });

  it.each(['v2', 'v3'] as const)('in which a block does not have its checksum %s leaves the volume dirty', async (checksums) => {
    const content = new Uint8Array(1024);
    const volume = await withJournal(ext4, { checksums, transactions: [{ writes: [{ block: 200, content }], damage: 'block' }] });
    const system = await open(volume);
    expect(system.info).toMatchObject({
      journal: 'dirty',
      notes: ['Block 200 is damaged in the journal: what lies there cannot be read.'],
    });
    expect(await rootNames(system)).toEqual(ALL);
  });

  it('on another device is said not to be seen', async () => {
    const system = await open(
      changed(ext2, (view) => {
        view.setUint32(SUPERBLOCK + 92, 0x4, true);
        view.setUint32(SUPERBLOCK + 96, view.getUint32(SUPERBLOCK + 96, true) | 0x4, true);
      }),
    );
    expect(system.info).toMatchObject({
      journal: 'dirty',
      notes: ['The journal lies on another device; what it has pending is not seen.'],
    });
  });

  it.each([
    ['fast commits are pending', { fastCommit: 'pending' }, 'The newest changes are fast commits of the journal, which are not seen.'],
    ['it was stopped by an error', { errorNumber: 5 }, 'The journal was stopped by an error.'],
    [
      'it starts outside of itself',
      { start: 39, errorNumber: 0, fastCommit: 'unused' },
      'The journal was not replayed: the superblock of the journal makes no sense.',
    ],
  ] as const)('leaves the volume dirty when %s', async (_, plan, note) => {
    const root = ext2.placeOf(2, 0);
    const transactions = [{ writes: [{ block: root / 1024, content: ext2.bytes.slice(root, root + 1024) }] }];
    const system = await open(await withJournal(ext2, { ...plan, transactions }));
    expect(system.info).toMatchObject({ journal: 'dirty', notes: [note] });
    expect(await rootNames(system)).toEqual(ALL);
  });

  it('with unused room for fast commits is replayed', async () => {
    const root = ext2.placeOf(2, 0);
    const transactions = [{ writes: [{ block: root / 1024, content: ext2.bytes.slice(root, root + 1024) }] }];
    expect((await open(await withJournal(ext2, { fastCommit: 'unused', transactions }))).info).toMatchObject({
      journal: 'replayed',
      notes: [],
    });
  });
});

describe('what cannot be read', () => {
  const encrypt = async (paths: readonly string[]) => {
    const inodes = await Promise.all(paths.map((path) => tinyInode(ext4, path)));
    return open(
      changed(ext4, (view) => {
        view.setUint32(SUPERBLOCK + 96, view.getUint32(SUPERBLOCK + 96, true) | 0x10000, true);
        for (const inode of inodes) {
          const at = ext4.positionOf(inode) + 32;
          view.setUint32(at, view.getUint32(at, true) | 0x800, true);
        }
      }),
    );
  };

  it('is an encrypted file; its name is shown so that it leads back', async () => {
    const system = await encrypt(['/folder', '/folder/file']);
    const names: string[] = [];
    for await (const { name } of system.list(await find(system, '/folder'))) names.push(name);
    expect(names.sort()).toEqual(['file', 'other'].map((name) => Buffer.from(name).toString('base64url')).sort());
    const node = await find(system, `/folder/${Buffer.from('file').toString('base64url')}`);
    expect(node).toMatchObject({ type: 'file', attributes: ['encrypted'] });
    expect(node.unreadable).toContain('fscrypt');
    await expect(system.open(node)).rejects.toThrow(FileUnreadableError);
    expect((await find(system, '/folder')).unreadable).toBeUndefined();
  });

  it('is the content of a directory, and the names in a file', async () => {
    const system = await open(ext2.bytes);
    await expect(system.open(await system.root())).rejects.toThrow(FileTypeError);
    const file = await find(system, '/small');
    await expect(Array.fromAsync(system.list(file))).rejects.toThrow(FileTypeError);
    await expect(system.open(file, 'stream')).rejects.toThrow(FileTypeError);
  });
});

it('tells a size above 4 GiB and reads its holes and its end', async () => {
  const inode = await tinyInode(plain, '/sparse');
  const system = await open(changed(plain, (view) => view.setUint32(plain.positionOf(inode) + 108, 9, true)));
  const node = await find(system, '/sparse');
  expect(node.size).toBe(9 * 2 ** 32 + 1_000_000);
  const content = await system.open(node);
  const into = new Uint8Array(3).fill(1);
  await content.read(node.size - 3, into);
  expect(into).toEqual(new Uint8Array(3));
  expect((await content.data({ offset: 0, length: node.size })).at(-1)!.offset).toBeLessThan(1_000_000);
});
