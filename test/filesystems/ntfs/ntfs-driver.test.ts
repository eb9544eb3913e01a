import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { FileNode, FileSystem } from '../../../src/filesystems/file-system.ts';
import { ntfsDriver } from '../../../src/filesystems/ntfs/ntfs-driver.ts';
import { fileSystems } from '../../../src/filesystems/registry.ts';
import type { Volume } from '../../../src/filesystems/volume.ts';
import { type FixtureVolume, fixtureTruth, fixtureVolume } from '../../builders/fixture-volume.ts';
import { keepsTheFileSystemContract } from '../../contracts/file-system.ts';

const volumes = new Map<string, Promise<FixtureVolume>>();

/** A fixture, unpacked once: nothing here writes. */
function aVolume(name: string): Promise<FixtureVolume> {
  const found = volumes.get(name) ?? fixtureVolume(name);
  volumes.set(name, found);
  return found;
}

describe.each(['ntfs-everyday', 'ntfs-fragmented', 'ntfs-4k-sectors', 'ntfs-2m-clusters'])('%s', (name) =>
  keepsTheFileSystemContract({
    open: async () => ntfsDriver.open(await aVolume(name)),
    truth: () => fixtureTruth(name),
  }),
);

/** A node by its path. */
async function at(system: FileSystem, path: string): Promise<FileNode> {
  let node = await system.root();
  for (const name of path.split('/').slice(1)) node = (await system.find(node, name))!;
  return node;
}

async function contentOf(system: FileSystem, path: string, stream?: string): Promise<Buffer> {
  const content = await system.open(await at(system, path), stream);
  const bytes = Buffer.alloc(content.sizeBytes);
  await content.read(0, bytes);
  return bytes;
}

/** A volume that counts the bytes that are read from it. */
function counting(volume: Volume): Volume & { bytesRead: number; reads: number } {
  const counted = {
    sizeBytes: volume.sizeBytes,
    bytesRead: 0,
    reads: 0,
    read(offset: number, into: Uint8Array) {
      counted.bytesRead += into.length;
      counted.reads += 1;
      return volume.read(offset, into);
    },
  };
  return counted;
}

/** A volume with these bytes in place of its own. */
function patched(volume: Volume, patches: Readonly<Record<number, Uint8Array>>): Volume {
  return {
    sizeBytes: volume.sizeBytes,
    async read(offset, into) {
      await volume.read(offset, into);
      for (const [place, bytes] of Object.entries(patches)) {
        const from = Number(place) - offset;
        for (const [index, byte] of bytes.entries()) if (from + index >= 0 && from + index < into.length) into[from + index] = byte;
      }
    },
  };
}

/** A restart page of $LogFile as it stands on the disk. */
function aRestartPage({ lsn, clients, flags }: { lsn: bigint; clients: number; flags: number }): Buffer {
  const page = Buffer.alloc(4096);
  page.write('RSTR', 'latin1');
  page.writeUInt16LE(30, 4);
  page.writeUInt16LE(9, 6);
  page.writeUInt32LE(4096, 16);
  page.writeUInt32LE(4096, 20);
  page.writeUInt16LE(64, 24);
  page.writeBigUInt64LE(lsn, 64);
  page.writeUInt16LE(clients, 64 + 12);
  page.writeUInt16LE(flags, 64 + 14);
  return page;
}

/** Where the records of a fixture of one-piece $MFT begin. */
async function mftOffset(volume: Volume): Promise<number> {
  const boot = Buffer.alloc(512);
  await volume.read(0, boot);
  return Number(boot.readBigUInt64LE(48)) * boot.readUInt16LE(11) * boot[13]!;
}

describe('what a volume says of itself', () => {
  it('is read from the boot sector, $Volume, $LogFile and $Bitmap', async () => {
    const { info } = await ntfsDriver.open(await aVolume('ntfs-everyday'));
    expect(info).toMatchObject({ type: 'ntfs', label: 'Größe', clusterSize: 4096, sizeBytes: 25_165_312, journal: 'clean', notes: [] });
    expect(info.uuid).toMatch(/^[0-9A-F]{16}$/);
    expect(info.freeBytes! % 4096).toBe(0);
  });

  it('is found by the kind of the volume', async () => {
    expect((await fileSystems.open(await aVolume('ntfs-special'))).info.label).toBe('special');
  });

  it('is read from the copy of the boot sector when the first is damaged', async () => {
    const volume = await aVolume('ntfs-4k-sectors');
    const system = await ntfsDriver.open(patched(volume, { 0: new Uint8Array(512) }));
    expect(system.info.notes).toEqual(['The boot sector is damaged; its copy at the end of the volume was used.']);
    expect((await contentOf(system, '/resident')).length).toBe(3000);
  });

  it('is read through the mirror when the first record of the master file table is damaged', async () => {
    const volume = await aVolume('ntfs-everyday');
    const system = await ntfsDriver.open(patched(volume, { [await mftOffset(volume)]: Buffer.from('BAAD') }));
    expect(system.info.notes).toEqual(['The first record of the master file table is damaged; its mirror was used.']);
    expect((await contentOf(system, '/small.txt')).length).toBe(100);
  });

  it('is dirty where $Volume is marked for a check', async () => {
    const volume = await aVolume('ntfs-everyday');
    const record = (await mftOffset(volume)) + 3 * 1024;
    const bytes = Buffer.alloc(1024);
    await volume.read(record, bytes);
    let place = bytes.readUInt16LE(20);
    while (bytes.readUInt32LE(place) !== 0x70) place += bytes.readUInt32LE(place + 4);
    const flags = record + place + bytes.readUInt16LE(place + 20) + 10;
    const { info } = await ntfsDriver.open(patched(volume, { [flags]: Uint8Array.of(1) }));
    expect(info).toMatchObject({ journal: 'dirty', notes: ['The volume is marked for a check (chkdsk).'] });
  });

  it.each([
    { what: 'open', clients: 0, flags: 0, journal: 'dirty' },
    { what: 'closed by its flag', clients: 0, flags: 2, journal: 'clean' },
    { what: 'closed for lack of users', clients: 0xffff, flags: 0, journal: 'clean' },
  ])('is $journal where the later restart page of $LogFile says that it is $what', async ({ clients, flags, journal }) => {
    const volume = await aVolume('ntfs-everyday');
    const whole = await ntfsDriver.open(volume);
    const { offset } = (await whole.allocation(await at(whole, '/$LogFile')))[0]!;
    const earlier = aRestartPage({ lsn: 1n, clients: 0xffff - clients, flags: 0 });
    const pages = { [offset]: earlier, [offset + 4096]: aRestartPage({ lsn: 2n, clients, flags }) };
    const { info } = await ntfsDriver.open(patched(volume, pages));
    expect(info.journal).toBe(journal);
    expect(info.notes).toEqual(journal === 'clean' ? [] : [expect.stringMatching(/^The journal \$LogFile was open/)]);
  });

  it('is dirty where $LogFile is damaged', async () => {
    const volume = await aVolume('ntfs-everyday');
    const whole = await ntfsDriver.open(volume);
    const { offset } = (await whole.allocation(await at(whole, '/$LogFile')))[0]!;
    const { info } = await ntfsDriver.open(patched(volume, { [offset]: new Uint8Array(8192) }));
    expect(info).toMatchObject({ journal: 'dirty', notes: ['The journal $LogFile is damaged.'] });
  });

  it('is found by the copy of the boot sector, too', async () => {
    const volume = patched(await aVolume('ntfs-4k-sectors'), { 0: new Uint8Array(512) });
    expect((await fileSystems.open(volume)).info.type).toBe('ntfs');
    // The same copy somewhere in a larger volume belongs to another one.
    const larger = { sizeBytes: volume.sizeBytes - 4096, read: (offset: number, into: Uint8Array) => volume.read(offset + 4096, into) };
    await expect(fileSystems.open(larger)).rejects.toMatchObject({ code: 'MABS-FS-UNSUPPORTED' });
  });

  it('is damage where neither boot sector is one', async () => {
    await expect(ntfsDriver.open({ sizeBytes: 1 << 20, read: async () => {} })).rejects.toMatchObject({ code: 'MABS-FS-DAMAGED' });
    await expect(ntfsDriver.open({ sizeBytes: 10, read: async () => {} })).rejects.toMatchObject({ code: 'MABS-FS-DAMAGED' });
  });
});

describe('names', () => {
  let system: FileSystem;
  beforeAll(async () => {
    system = await ntfsDriver.open(await aVolume('ntfs-everyday'));
  });

  it.each([
    { path: '/README', size: 1 },
    { path: '/readme', size: 2 },
    { path: '/ReadMe', size: 3 },
    { path: '/docs/large.txt', size: 5000 },
    { path: '/Docs/large.txt', size: 3000 },
  ])('are told apart by case where both are there: $path', async ({ path, size }) => {
    expect((await at(system, path)).size).toBe(size);
  });

  it.each([
    { path: '/SMALL.TXT', size: 100 },
    { path: '/rEADME', size: 1 },
    { path: '/names/äRGER.TXT', size: 10 },
    { path: '/NAMES/ΔΟΚΙΜΉ', size: 12 },
    { path: '/names/ПРОВЕРКА', size: 16 },
    { path: '/DEEP/A/B/C/D/E/F/G/H.TXT', size: 2000 },
    { path: '/many/FILE NUMBER 700.TXT', size: 0 },
  ])('are found regardless of case where none is equal: $path', async ({ path, size }) => {
    const node = await at(system, path);
    expect(path === '/rEADME' ? node.size <= 3 : node.size === size).toBe(true);
  });

  it('are not found where only Unicode, not the volume, calls them equal', async () => {
    const names = await at(system, '/names');
    expect((await system.find(names, 'ß'))?.id).not.toBe((await system.find(names, 'ẞ'))?.id);
    expect(await system.find(names, 'SS')).toBeUndefined();
    expect(await system.find(await system.root(), '')).toBeUndefined();
  });

  it('are listed without the short ones', async () => {
    const names = [];
    for await (const { name } of system.list(await at(system, '/many'))) names.push(name);
    expect(names).toContain('file number 1.txt');
    expect(names.filter((name) => name.includes('~'))).toEqual([]);
  });

  it('are listed with the system files in the root', async () => {
    const names = [];
    for await (const { name } of system.list(await system.root())) names.push(name);
    expect(names).toEqual(expect.arrayContaining(['$MFT', '$MFTMirr', '$LogFile', '$Volume', '$AttrDef', '$Bitmap', '$Boot', '$BadClus']));
    expect((await at(system, '/$MFT')).attributes).toEqual(expect.arrayContaining(['hidden', 'system']));
    expect((await contentOf(system, '/$Bitmap')).length).toBe(768);
  });

  it('that share a file share its identity', async () => {
    const [first, second, third] = await Promise.all(['/small.txt', '/docs/hard link.txt', '/names/third'].map((path) => at(system, path)));
    expect([second!.id, third!.id, second!.links]).toEqual([first!.id, first!.id, 3]);
  });
});

describe('content', () => {
  let system: FileSystem;
  beforeAll(async () => {
    system = await ntfsDriver.open(await aVolume('ntfs-everyday'));
  });

  it('of streams is opened by name, regardless of case', async () => {
    const file = await at(system, '/docs/large.txt');
    expect(file.streams).toEqual([
      { name: 'Große Notiz', size: 9000 },
      { name: 'notes', size: 120 },
    ]);
    expect((await contentOf(system, '/docs/large.txt', 'NOTES')).toString().slice(0, 14)).toBe('stream line 0\n');
    expect((await contentOf(system, '/docs/large.txt', 'große notiz')).length).toBe(9000);
    expect((await contentOf(system, '/docs', 'of the folder')).length).toBe(50);
    await expect(system.open(file, 'none')).rejects.toMatchObject({ code: 'MABS-STREAM-MISSING', kind: 'usage' });
  });

  it('is no thing of directories, nor are names one of files', async () => {
    await expect(system.open(await system.root())).rejects.toMatchObject({ code: 'MABS-FILE-TYPE', kind: 'usage' });
    await expect(Array.fromAsync(system.list(await at(system, '/small.txt')))).rejects.toMatchObject({ code: 'MABS-FILE-TYPE' });
    await expect(system.find(await at(system, '/small.txt'), 'x')).rejects.toMatchObject({ code: 'MABS-FILE-TYPE' });
  });

  it('of a sparse file of 5 GiB is read in its parts, holes without reading', async () => {
    const node = await at(system, '/sparse.bin');
    expect(node.size).toBe(5 * 2 ** 30);
    expect(node.attributes).toContain('sparse');
    const content = await system.open(node);
    const piece = Buffer.alloc(4096);
    await content.read(3000 * 2 ** 20, piece);
    expect(piece.toString('latin1', 0, 12)).toBe('here line 0\n');
    await content.read(5 * 2 ** 30 - 100, piece.subarray(0, 100));
    expect(piece.toString('latin1', 0, 11)).toBe('end line 0\n');
    await content.read(2 ** 32, piece);
    expect(piece.every((byte) => byte === 0)).toBe(true);
    const ranges = await content.data({ offset: 0, length: node.size });
    expect(ranges).toEqual([
      { offset: 3000 * 2 ** 20, length: 4096 },
      { offset: 5 * 2 ** 30 - 4096, length: 4096 },
    ]);
    expect((await system.allocation(node)).reduce((sum, { length }) => sum + length, 0)).toBe(8192);
  });

  it('that is compressed is read by units, and only its allocated clusters are allocated', async () => {
    const node = await at(system, '/compressed/mixed.bin');
    expect(node.attributes).toContain('compressed');
    const content = await system.open(node);
    // The zeros in its middle have no clusters.
    expect(await content.data({ offset: 0, length: node.size })).toEqual([
      { offset: 0, length: 131_072 },
      { offset: 262_144, length: 12_345 },
    ]);
    const allocated = (await system.allocation(node)).reduce((sum, { length }) => sum + length, 0);
    expect(allocated).toBeLessThan(node.size);
    expect(allocated % 4096).toBe(0);
  });

  it('may end where nothing was written any more', async () => {
    expect((await contentOf(system, '/compressed/sparse-end')).every((byte) => byte === 0)).toBe(true);
  });

  it('has times of 100 ns, in any century', async () => {
    expect((await at(system, '/small.txt')).modified).toBe(946_684_799_123_456_700n);
    expect((await at(system, '/empty')).modified).toBe(10_413_792_000n * 1_000_000_000n);
    expect((await at(system, '/edge.txt')).modified).toBe(-11_644_387_200n * 1_000_000_000n);
  });

  it('of a file with attribute lists is found through them', async () => {
    const fragmented = await ntfsDriver.open(await aVolume('ntfs-fragmented'));
    const node = await at(fragmented, '/holes.bin');
    const bytes = await contentOf(fragmented, '/holes.bin');
    for (const number of [0, 1, 299, 599]) {
      expect(bytes.toString('latin1', number * 1536, number * 1536 + 12)).toBe(`data ${String(number).padStart(6, '0')}\n`);
    }
    expect((await fragmented.allocation(node)).length).toBeGreaterThan(100);
  });
});

describe('reading little', () => {
  it('finds a path in a few dozen KiB', async () => {
    const volume = counting(await aVolume('ntfs-everyday'));
    const system = await ntfsDriver.open(volume);
    expect(volume.bytesRead).toBeLessThan(64 * 1024);
    volume.bytesRead = 0;
    await at(system, '/many/file number 500.txt');
    expect(volume.bytesRead).toBeLessThan(96 * 1024);
  });

  it('lists a folder and its files in a read for some of them together', async () => {
    const volume = counting(await aVolume('ntfs-everyday'));
    const system = await ntfsDriver.open(volume);
    const many = await at(system, '/many');
    volume.reads = 0;
    let files = 0;
    for await (const entry of system.list(many)) files += (await entry.node()).type === 'file' ? 1 : 0;
    expect(files).toBe(467);
    expect(volume.reads).toBeLessThan(files / 4);
  });

  it('reads a large file in one read a run', async () => {
    const volume = counting(await aVolume('ntfs-4k-sectors'));
    const system = await ntfsDriver.open(volume);
    const content = await system.open(await at(system, '/folder/large'));
    volume.reads = 0;
    await content.read(0, new Uint8Array(200_000));
    expect(volume.reads).toBeLessThanOrEqual(2);
  });
});

describe('damage', () => {
  it('of one record concerns its file alone', async () => {
    const volume = await aVolume('ntfs-everyday');
    const whole = await ntfsDriver.open(volume);
    const record = (await mftOffset(volume)) + Number((await at(whole, '/edge.txt')).id) * 1024;
    const system = await ntfsDriver.open(patched(volume, { [record + 510]: Uint8Array.of(0xee, 0xee) }));
    const seen: string[] = [];
    for await (const entry of system.list(await system.root())) {
      const node = await entry.node().catch((error) => error.code);
      seen.push(typeof node === 'string' ? `${entry.name}: ${node}` : entry.name);
    }
    expect(seen).toContain('edge.txt: MABS-FS-DAMAGED');
    expect(seen).toContain('small.txt');
    expect(seen.filter((name) => name.endsWith('DAMAGED'))).toHaveLength(1);
  });

  it('of one block of an index leaves the names in the others, and is told', async () => {
    const volume = await aVolume('ntfs-everyday');
    const whole = await ntfsDriver.open(volume);
    const names = async (system: FileSystem) => {
      const found: string[] = [];
      let problem: unknown;
      try {
        for await (const { name } of system.list(await at(system, '/many'))) found.push(name);
      } catch (error) {
        problem = error;
      }
      return { found, problem };
    };
    const complete = await names(whole);
    const blocks = [...volume.pages.entries()].flatMap(([page, bytes]) => indexBlocks(page * 65_536, bytes, 'file number'));
    const spoiled = async (block: number | undefined) => names(await ntfsDriver.open(patched(volume, { [block!]: Buffer.from('BAAD') })));
    expect(complete.problem).toBeUndefined();
    const leaf = await spoiled(blocks.find(({ isLeaf }) => isLeaf)?.offset);
    expect(leaf.problem).toMatchObject({ code: 'MABS-FS-DAMAGED' });
    expect(complete.found.length - leaf.found.length).toBeGreaterThan(5);
    expect(complete.found.length - leaf.found.length).toBeLessThan(60);
    // What an inner block leads to is found by the index's own bitmap.
    const inner = await spoiled(blocks.find(({ isLeaf }) => !isLeaf)?.offset);
    expect(inner.problem).toMatchObject({ code: 'MABS-FS-DAMAGED' });
    expect(complete.found.length - inner.found.length).toBeGreaterThan(5);
    expect(complete.found.length - inner.found.length).toBeLessThan(60);
    expect(new Set(inner.found).size).toBe(inner.found.length);
  });

  it('is told where a name leads to a record that has another file by now', async () => {
    const volume = await aVolume('ntfs-everyday');
    const whole = await ntfsDriver.open(volume);
    const { id } = await at(whole, '/edge.txt');
    const system = await ntfsDriver.open(
      patched(volume, { [(await mftOffset(volume)) + Number(id) * 1024 + 16]: Uint8Array.of(0x77, 0x77) }),
    );
    await expect(at(system, '/edge.txt')).rejects.toThrow('belongs to another file by now');
  });

  it('is told where the root is no directory', async () => {
    const volume = await aVolume('ntfs-everyday');
    const system = await ntfsDriver.open(patched(volume, { [(await mftOffset(volume)) + 5 * 1024 + 22]: Uint8Array.of(1) }));
    await expect(system.root()).rejects.toMatchObject({ code: 'MABS-FS-DAMAGED' });
  });

  it('is told where a file is longer than the volume', async () => {
    const volume = await aVolume('ntfs-everyday');
    const cut = { sizeBytes: 6 * 2 ** 20, read: volume.read };
    const system = await ntfsDriver.open(cut);
    expect(system.info.notes).toContain('The volume ends before its file system does.');
    expect(system.info.sizeBytes).toBe(6 * 2 ** 20);
  });
});

/** Where blocks of an index lie that hold a name, and whether they lead to others. */
function indexBlocks(start: number, bytes: Uint8Array, name: string): { readonly offset: number; readonly isLeaf: boolean }[] {
  const found = [];
  for (let place = 0; place < bytes.length; place += 4096) {
    const block = Buffer.from(bytes.subarray(place, place + 4096));
    const isBlock = block.toString('latin1', 0, 4) === 'INDX' && block.includes(Buffer.from(name, 'utf16le'));
    if (isBlock) found.push({ offset: start + place, isLeaf: (block[36]! & 1) === 0 });
  }
  return found;
}

describe('the digest of a whole volume', () => {
  it('is the same whichever way a file is read', async () => {
    const system = await ntfsDriver.open(await aVolume('ntfs-everyday'));
    const content = await system.open(await at(system, '/compressed/text.txt'));
    const [whole, pieces] = [createHash('sha256'), createHash('sha256')];
    whole.update(await contentOf(system, '/compressed/text.txt'));
    for (let offset = 0; offset < content.sizeBytes; offset += 777) {
      const piece = new Uint8Array(Math.min(777, content.sizeBytes - offset));
      await content.read(offset, piece);
      pieces.update(piece);
    }
    expect(pieces.digest('hex')).toBe(whole.digest('hex'));
  });
});
