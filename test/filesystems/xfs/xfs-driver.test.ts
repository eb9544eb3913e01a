import { beforeAll, describe, expect, it } from '@jest/globals';
import type { FileNode, FileSystem } from '../../../src/filesystems/file-system.ts';
import type { Volume } from '../../../src/filesystems/volume.ts';
import { xfsDriver } from '../../../src/filesystems/xfs/xfs-driver.ts';
import { crc32cWithout } from '../../../src/lib/crc32c.ts';
import { fixtureVolume } from '../../builders/fixture-volume.ts';
import { patchedVolume } from '../../builders/patched-volume.ts';

let version5: Volume;
let version4: Volume;
beforeAll(async () => {
  version5 = await fixtureVolume('xfs-v5');
  version4 = await fixtureVolume('xfs-v4');
});

async function at(system: FileSystem, path: string): Promise<FileNode> {
  let node = await system.root();
  for (const name of path.split('/').filter(Boolean)) node = (await system.find(node, name))!;
  return node;
}

async function bytesOf(volume: Volume, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  await volume.read(offset, bytes);
  return bytes;
}

/** Where a structure that begins with these bytes lies: the first such multiple of `unit` that `fits`. */
async function whereIs(volume: Volume, magic: string, unit: number, fits: (bytes: Buffer) => boolean = () => true): Promise<number> {
  for (let offset = 0; offset < volume.sizeBytes; offset += unit) {
    const bytes = Buffer.from(await bytesOf(volume, offset, unit));
    if (bytes.toString('latin1', 0, magic.length) === magic && fits(bytes)) return offset;
  }
  throw new Error(`no ${magic}`);
}

/** The first sector of a volume, changed, with its checksum made right again. */
async function changedSuperblock(volume: Volume, change: (view: DataView) => void): Promise<Uint8Array> {
  const sector = await bytesOf(volume, 0, 512);
  const view = new DataView(sector.buffer);
  change(view);
  view.setUint32(224, crc32cWithout(sector, 224), true);
  return sector;
}

describe('what XFS says of itself', () => {
  it('is its label, its identity as blkid writes it, and whether it was unmounted', async () => {
    const { info, names } = await xfsDriver.open(version5);
    expect(info).toMatchObject({
      type: 'xfs',
      label: 'xfs-v5',
      sizeBytes: 32 * 1024 * 1024,
      clusterSize: 4096,
      journal: 'clean',
      notes: [],
    });
    expect(info.uuid).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(names).toBe('bytes');
  });

  it('is about as much free space as its trees list', async () => {
    for (const volume of [version5, version4]) {
      const system = await xfsDriver.open(volume);
      let free = 0;
      for await (const { length } of system.free()) free += length;
      expect(free).toBeLessThanOrEqual(system.info.freeBytes!);
      expect(free).toBeGreaterThan(system.info.freeBytes! * 0.99);
    }
  });

  it('is dirty while it is in use: what is only in its log is not seen', async () => {
    const { info } = await xfsDriver.open(await fixtureVolume('xfs-live'));
    expect(info.journal).toBe('dirty');
    expect(info.freeBytes).toBeUndefined();
    expect(info.notes).toEqual([expect.stringContaining('its log is not replayed')]);
  });

  it('is clean after a freeze, as for a backup: all is in its place but the superblock', async () => {
    const system = await xfsDriver.open(await fixtureVolume('xfs-frozen'));
    expect(system.info).toMatchObject({ journal: 'clean', notes: [] });
    expect((await at(system, '/folder/file')).size).toBe(7);
  });

  it.each([
    { what: 'a log on another device', change: (view: DataView) => view.setBigUint64(48, 0n), note: 'another device' },
    {
      what: 'a mark that it needs repair',
      change: (view: DataView) => view.setUint32(216, view.getUint32(216) | 0x10),
      note: 'xfs_repair',
    },
  ])('is dirty with $what', async ({ change, note }) => {
    const sector = await changedSuperblock(version5, change);
    const { info } = await xfsDriver.open(patchedVolume(version5, [{ at: 0, bytes: sector }]));
    expect(info).toMatchObject({ journal: 'dirty', notes: [expect.stringContaining(note)] });
  });

  it('is refused where it has a feature that changes its layout', async () => {
    const sector = await changedSuperblock(version5, (view) => view.setUint32(216, view.getUint32(216) | 0x100 | 0x40000));
    await expect(xfsDriver.open(patchedVolume(version5, [{ at: 0, bytes: sector }]))).rejects.toMatchObject({
      code: 'MABS-FS-UNSUPPORTED',
      message: expect.stringMatching(/metadata directory tree, 0x40000$/),
    });
  });

  it('is read with exchanged ranges and parent pointers, which change nothing for a reader', async () => {
    const sector = await changedSuperblock(version5, (view) => view.setUint32(216, view.getUint32(216) | 0x40 | 0x80));
    expect((await xfsDriver.open(patchedVolume(version5, [{ at: 0, bytes: sector }]))).info.journal).toBe('clean');
  });

  it.each(['xfs-v5', 'xfs-v4'])('is read from a copy where the superblock is damaged: %s', async (name) => {
    const volume = name === 'xfs-v5' ? version5 : version4;
    const zeros = new Uint8Array(508);
    const system = await xfsDriver.open(patchedVolume(volume, [{ at: 4, bytes: zeros }]));
    expect(system.info).toMatchObject({ journal: 'dirty', notes: [expect.stringContaining('a copy of it is used')] });
    expect((await at(system, '/sizes/512.txt')).size).toBe(512);
  });

  it('is damaged where there is neither it nor a copy', async () => {
    for (const sizeBytes of [0, 100, 512, 100_000]) {
      const volume = { ...patchedVolume(version5, [{ at: 100, bytes: new Uint8Array(64) }]), sizeBytes };
      await expect(xfsDriver.open(volume)).rejects.toMatchObject({ code: 'MABS-FS-DAMAGED' });
    }
  });
});

describe('damage', () => {
  it('of a block of names hides these names alone, and is told when the others were', async () => {
    const tree = (await xfsDriver.open(version5)).info;
    expect(tree.journal).toBe('clean');
    const block = await whereIs(version5, 'XDD3', 4096);
    const system = await xfsDriver.open(patchedVolume(version5, [{ at: block + 2000, bytes: Uint8Array.of(1, 2, 3) }]));
    const seen: Record<string, number> = {};
    let failures = 0;
    for (const folder of ['leaf', 'tree']) {
      seen[folder] = 0;
      try {
        for await (const _ of system.list(await at(system, `/${folder}`))) seen[folder] += 1;
      } catch (error) {
        expect(error).toMatchObject({ code: 'MABS-FS-DAMAGED', message: expect.stringContaining('wrong checksum') });
        failures += 1;
      }
    }
    expect(failures).toBe(1);
    expect(seen.leaf!).toBeGreaterThan(100);
    expect(seen.tree!).toBeGreaterThan(400);
  });

  it('is not what keeps a block of names from being read when its disk fails: that ends the listing at once', async () => {
    const block = await whereIs(version5, 'XDD3', 4096);
    let failed = false;
    let readsAfter = 0;
    const volume: Volume = {
      sizeBytes: version5.sizeBytes,
      async read(offset, into) {
        if (failed) readsAfter += 1;
        failed ||= offset <= block && offset + into.length > block;
        if (failed) throw new Error('the disk is gone');
        await version5.read(offset, into);
      },
    };
    const system = await xfsDriver.open(volume);
    const all = async () => {
      for (const folder of ['leaf', 'tree']) for await (const _ of system.list(await at(system, `/${folder}`)));
    };
    await expect(all()).rejects.toThrow('the disk is gone');
    expect(readsAfter).toBe(0);
  });

  it('of the index of a directory leaves all names to be found', async () => {
    const index = await whereIs(
      version5,
      '',
      4096,
      (bytes) => [0x3df1, 0x3ebe].includes(bytes.readUInt16BE(8)) && bytes.readUInt32BE(0) === 0,
    );
    const system = await xfsDriver.open(patchedVolume(version5, [{ at: index + 60, bytes: Uint8Array.of(9, 9) }]));
    for (const folder of ['leaf', 'tree']) {
      const directory = await at(system, `/${folder}`);
      expect((await system.find(directory, 'name number 000100'))?.size).toBe(22);
      expect(await system.find(directory, 'name number 000000')).toBeUndefined();
    }
  });

  it('of an inode concerns its file alone', async () => {
    const good = await xfsDriver.open(version5);
    const { id } = await at(good, '/modes/none');
    const { id: neighbour } = await at(good, '/modes/owned');
    const inode = await whereIs(version5, 'IN', 512, (bytes) => bytes.readBigUInt64BE(152) === BigInt(id));
    const system = await xfsDriver.open(patchedVolume(version5, [{ at: inode + 90, bytes: Uint8Array.of(7) }]));
    const nodes = [];
    for await (const entry of system.list(await at(system, '/modes'))) nodes.push(await entry.node().catch((error) => error.code));
    expect(nodes.filter((node) => node === 'MABS-FS-DAMAGED')).toHaveLength(1);
    expect(nodes.some((node) => node.id === neighbour)).toBe(true);
  });
});

describe('a name', () => {
  it('is found by the index of a large directory, without reading all of it', async () => {
    const volume = patchedVolume(version5);
    const system = await xfsDriver.open(volume);
    const directory = await at(system, '/tree');
    volume.counts.bytes = 0;
    expect(await system.find(directory, 'name number 000555')).toBeDefined();
    expect(volume.counts.bytes).toBeLessThanOrEqual(6 * 16_384);
  });

  it('is found regardless of case where the file system is made so, the exact one first', async () => {
    const system = await xfsDriver.open(await fixtureVolume('xfs-ci'));
    const root = await system.root();
    expect((await system.find(root, 'SIZES'))?.id).toBe((await system.find(root, 'sizes'))?.id);
    const other = await xfsDriver.open(version5);
    expect(await other.find(await other.root(), 'SIZES')).toBeUndefined();
  });

  it('may be bytes that are no UTF-8, and is found by them', async () => {
    const system = await xfsDriver.open(version5);
    expect(await system.find(await at(system, '/names'), 'not utf-8 \udcff\udcfe\udc80')).toMatchObject({ type: 'file', size: 1 });
    expect((await at(system, '/links/bytes')).target).toBe('to \udcff bytes');
  });

  it.each(['', '.', '..', '/', 'a/b', 'x'.repeat(300)])('%j is none in a directory', async (name) => {
    const system = await xfsDriver.open(version5);
    expect(await system.find(await at(system, '/block'), name)).toBeUndefined();
  });
});

describe('a file', () => {
  it('has data beyond 4 GiB, and holes between', async () => {
    const system = await xfsDriver.open(version5);
    const content = await system.open(await at(system, '/extents/sparse'));
    for (const position of [0, 70_000, 2 ** 32 + 12_345, 5 * 2 ** 30]) {
      const text = `data at ${position}`;
      const into = Buffer.alloc(text.length);
      await content.read(position, into);
      expect(into.toString()).toBe(text);
    }
    const data = await content.data({ offset: 0, length: content.sizeBytes });
    expect(data.map(({ offset }) => offset)).toEqual([0, 69_632, 2_998_272, 2 ** 32 + 12_288, 5 * 2 ** 30]);
  });

  it('in hundreds of pieces lies in a tree of extents', async () => {
    const system = await xfsDriver.open(version5);
    const file = await at(system, '/extents/fragments');
    expect((await system.allocation(file)).length).toBeGreaterThan(300);
    const content = await system.open(file);
    expect((await content.data({ offset: 0, length: content.sizeBytes })).length).toBeGreaterThan(600);
  });

  it('that shares its blocks with another is allocated where the other is', async () => {
    const system = await xfsDriver.open(version5);
    const [origin, shared] = [await at(system, '/extents/origin'), await at(system, '/extents/shared')];
    const [one, other] = [await system.allocation(origin), await system.allocation(shared)];
    expect(other.some(({ offset }) => one.some((range) => offset >= range.offset && offset < range.offset + range.length))).toBe(true);
  });

  it('on a realtime device says that it cannot be read', async () => {
    const { id } = await at(await xfsDriver.open(version4), '/sizes/4096.txt');
    // Version 4 tells no number in the inode: its place follows from the number.
    const agBits = new DataView((await bytesOf(version4, 0, 512)).buffer).getUint8(124);
    const [group, inGroup] = [Math.floor(Number(id) / 2 ** (agBits + 4)), Number(id) % 2 ** (agBits + 4)];
    const agBlocks = new DataView((await bytesOf(version4, 84, 4)).buffer).getUint32(0);
    const position = group * agBlocks * 4096 + inGroup * 256;
    const system = await xfsDriver.open(patchedVolume(version4, [{ at: position + 90, bytes: Uint8Array.of(0, 1) }]));
    const node = await at(system, '/sizes/4096.txt');
    expect(node.unreadable).toContain('realtime device');
    await expect(system.open(node)).rejects.toMatchObject({ code: 'MABS-FILE-UNREADABLE' });
    expect(await system.allocation(node)).toEqual([]);
  });

  it('of another type says which', async () => {
    const system = await xfsDriver.open(version5);
    const special: Record<string, unknown> = {};
    for await (const entry of system.list(await at(system, '/special'))) special[entry.name] = (await entry.node()).special;
    expect(special).toEqual({ fifo: 'fifo', null: 'char-device', disk: 'block-device', socket: 'socket' });
    await expect(system.open(await at(system, '/special/fifo'))).rejects.toMatchObject({ code: 'MABS-FILE-TYPE' });
    await expect(system.open(await at(system, '/sizes'))).rejects.toMatchObject({ code: 'MABS-FILE-TYPE' });
    await expect(Array.fromAsync(system.list(await at(system, '/sizes/0.txt')))).rejects.toMatchObject({ code: 'MABS-FILE-TYPE' });
  });
});

describe('extended attributes', () => {
  const attributesOf = async (system: FileSystem, path: string) => {
    const { extendedAttributes = [] } = await system.extras(await at(system, path));
    return Object.fromEntries(extendedAttributes.map((one) => [one.name, Buffer.from(one.value)]));
  };

  it.each(['xfs-v5', 'xfs-1k', 'xfs-64k'])(
    'in the inode, in a leaf, in a tree, and in blocks of their own are read from %s',
    async (name) => {
      const system = await xfsDriver.open(name === 'xfs-v5' ? version5 : await fixtureVolume(name));
      const few = await attributesOf(system, '/attributes/few');
      expect(few['user.colour']?.toString()).toBe('blue');
      expect([...few['trusted.note']!]).toEqual([0, 1, 2]);
      expect(few['security.label']?.toString()).toBe('system_u');
      const many = await attributesOf(system, '/attributes/many');
      expect(Object.keys(many)).toHaveLength(120);
      expect(many['user.attribute-077']?.toString()).toBe('value 77 '.repeat(4));
      const large = await attributesOf(system, '/attributes/large');
      expect(large['user.large']).toHaveLength(60_000);
      expect(large['user.large']!.toString().replaceAll('large holds 60000 bytes\n', '').length).toBeLessThan(24);
      expect(large['user.empty']).toHaveLength(0);
      expect(await attributesOf(system, '/attributes/none')).toEqual({});
    },
  );
});
