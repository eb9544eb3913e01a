import { describe, expect, it } from '@jest/globals';
import { detectFileSystem } from '../../../src/filesystems/detect.ts';
import { exfatDriver } from '../../../src/filesystems/exfat/exfat-driver.ts';
import { parseUpCaseTable } from '../../../src/filesystems/exfat/up-case-table.ts';
import type { FileNode, FileSystem } from '../../../src/filesystems/file-system.ts';
import { totalLength } from '../../../src/lib/byte-range.ts';
import { memorySource } from '../../../src/lib/byte-source.ts';
import { fileTimeText } from '../../../src/lib/file-time.ts';
import { anExfatVolume, type BuiltExfat, type ExfatItem } from '../../builders/exfat-volume.ts';

const SECTOR = 512;
const content = Uint8Array.from({ length: 2000 }, (_, index) => index * 7);
const open = (built: BuiltExfat) => exfatDriver.open(memorySource(built.bytes));
const withItems = (...items: ExfatItem[]) => open(anExfatVolume({ items }));
const namesIn = async (system: FileSystem, directory?: FileNode) =>
  (await Array.fromAsync(system.list(directory ?? (await system.root())))).map(({ name }) => name);
const get = async (system: FileSystem, name: string) => (await system.find(await system.root(), name))!;
const read = async (system: FileSystem, name: string) => {
  const file = await system.open(await get(system, name));
  const bytes = new Uint8Array(file.sizeBytes).fill(0xaa);
  await file.read(0, bytes);
  return bytes;
};

describe('files on exFAT', () => {
  it('are read side by side and chained', async () => {
    const built = anExfatVolume({ items: [{ name: 'chained', content, chained: true }, { name: 'plain', content }, { name: 'empty' }] });
    const system = await open(built);
    expect(await read(system, 'chained')).toEqual(content);
    expect(await read(system, 'plain')).toEqual(content);
    expect(await read(system, 'empty')).toEqual(new Uint8Array(0));
    expect(await system.allocation(await get(system, 'plain'))).toEqual([
      { offset: built.positionOf(built.firstOf.get('plain')!), length: 4 * SECTOR },
    ]);
    expect(await system.allocation(await get(system, 'chained'))).toHaveLength(4);
    expect(totalLength(await system.allocation(await system.root()))).toBe(8 * SECTOR);
  });

  it('read as zero from where they were never written', async () => {
    const system = await withItems(
      { name: 'part', content: content.slice().fill(9), validBytes: 700 },
      { name: 'none', content, validBytes: 0, chained: true },
    );
    expect(await read(system, 'part')).toEqual(content.map((_, at) => (at < 700 ? 9 : 0)));
    expect(await read(system, 'none')).toEqual(new Uint8Array(2000));
    const file = await system.open(await get(system, 'part'));
    expect(await file.data({ offset: 600, length: 1000 })).toEqual([{ offset: 600, length: 100 }]);
    expect(await file.data({ offset: 700, length: 1300 })).toEqual([]);
    const tail = new Uint8Array(500).fill(1);
    await file.read(1500, tail);
    expect(tail).toEqual(new Uint8Array(500));
    await expect(file.read(1501, tail)).rejects.toMatchObject({ code: 'MABS-READ-PAST-END' });
  });

  it('that Windows encrypted have their header of 4096 bytes, though it counts none of an empty one as valid', async () => {
    const encrypted = Uint8Array.from({ length: 5000 }, (_, index) => 1 + (index % 255));
    const system = await withItems({ name: 'a.PFILE', content: encrypted, validBytes: 0 }, { name: 'b.pfile', content, validBytes: 0 });
    expect(await read(system, 'a.PFILE')).toEqual(encrypted.map((byte, at) => (at < 4096 ? byte : 0)));
    expect(await read(system, 'b.pfile')).toEqual(content);
  });

  it('have exact times where the offset from UTC was kept, else local ones taken as UTC', async () => {
    const stamp = [0xcb, 0x62, 0x98, 0x58];
    const system = await withItems(
      { name: 'east', attributes: 0x27, times: [...stamp, ...stamp, ...stamp, 150, 7, 0x80 + 8, 0x80 + 22, 0x80] },
      { name: 'west', times: [...stamp, ...stamp, ...stamp, 0, 0, 0x80 + 0x80 - 14, 0x80 + 0x7f - 0x3f, 0] },
      { name: 'nowhere', times: [...stamp, 0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 8, 0, 0] },
    );
    const times = async (name: string) => {
      const { created, modified, accessed } = await get(system, name);
      return [created, modified, accessed].map((time) => fileTimeText(time));
    };
    expect(await times('east')).toEqual(['2024-04-24T10:22:23.500Z', '2024-04-24T06:52:22.070Z', '2024-04-24T12:22:22Z']);
    expect(await times('west')).toEqual(['2024-04-24T15:52:22Z', '2024-04-25T04:22:22Z', '2024-04-24T12:22:22Z']);
    expect(await times('nowhere')).toEqual(['2024-04-24T12:22:22Z', undefined, undefined]);
    expect((await get(system, 'east')).attributes).toEqual(['readonly', 'hidden', 'system', 'archive']);
  });

  it('whose entries are damaged are listed, and damaged alone', async () => {
    const names = ['checksum', 'incomplete', 'size', 'valid', 'fine'];
    const built = anExfatVolume({ items: names.map((name) => ({ name, content, ...(name === 'valid' && { validBytes: 2001 }) })) });
    const root = built.positionOf(4) + 2 * 32;
    const set = (name: string) => root + names.indexOf(name) * 96;
    built.bytes[set('checksum') + 20]! ^= 1;
    built.bytes[set('incomplete') + 1] = 3;
    built.bytes[set('size') + 32 + 30] = 0xff;
    const system = await open(built);
    const entries = await Array.fromAsync(system.list(await system.root()));
    expect(entries.map(({ name }) => name)).toEqual(names);
    for (const entry of entries.slice(0, -1)) await expect(entry.node()).rejects.toMatchObject({ code: 'MABS-FS-DAMAGED' });
    expect(await read(system, 'fine')).toEqual(content);
  });

  it('whose clusters are not there are damaged alone', async () => {
    const built = anExfatVolume({
      items: [
        { name: 'chained', content, chained: true },
        { name: 'circle', content, chained: true },
        { name: 'plain', content },
        { name: 'fine', content },
      ],
      clusters: 40,
    });
    built.setEntry(built.firstOf.get('chained')! + 2, 0);
    built.setEntry(built.firstOf.get('circle')! + 2, built.firstOf.get('circle')!);
    const cut = memorySource(built.bytes.subarray(0, built.positionOf(built.firstOf.get('plain')! + 2)));
    const system = await exfatDriver.open(cut);
    for (const name of ['chained', 'circle', 'plain', 'fine']) await expect(read(system, name)).rejects.toMatchObject({ kind: 'damaged' });
    expect(await read(await open(built), 'plain')).toEqual(content);
    expect(system.info.notes[0]).toContain('cut off');
  });

  it('in folders whose clusters break off come before the damage', async () => {
    const items = Array.from({ length: 12 }, (_, index) => ({ name: `file${index}` }));
    const built = anExfatVolume({ items: [{ name: 'folder', items, chained: true }] });
    expect(await namesIn(await open(built), await get(await open(built), 'folder'))).toEqual(items.map(({ name }) => name));
    built.setEntry(built.firstOf.get('folder')!, 0xffff_ffff);
    const system = await open(built);
    await expect(namesIn(system, await get(system, 'folder'))).rejects.toMatchObject({ kind: 'damaged' });
  });

  it('are refused for what is no file, and directories for what is none', async () => {
    const system = await withItems({ name: 'dir', items: [] }, { name: 'f', content });
    await expect(system.open(await get(system, 'dir'))).rejects.toMatchObject({ code: 'MABS-FILE-TYPE' });
    await expect(system.open(await get(system, 'f'), 'stream')).rejects.toMatchObject({ code: 'MABS-FILE-TYPE' });
    await expect(namesIn(system, await get(system, 'f'))).rejects.toMatchObject({ code: 'MABS-FILE-TYPE' });
    expect(await system.extras(await get(system, 'f'))).toEqual({});
  });
});

describe('names on exFAT', () => {
  it('are of any script and found as the table of the volume says, the exact one first', async () => {
    const system = await withItems({ name: 'Отчёт 🎛 номер двадцать.txt' }, { name: 'Ä' }, { name: 'abc' }, { name: 'ABC' });
    expect(await namesIn(system)).toEqual(['Отчёт 🎛 номер двадцать.txt', 'Ä', 'abc', 'ABC']);
    const [, , small, large] = await Array.fromAsync(system.list(await system.root()));
    expect((await get(system, 'ABC')).id).toBe((await large!.node()).id);
    expect((await get(system, 'aBC')).id).toBe((await small!.node()).id);
    expect(await get(system, 'ä')).toBeUndefined();
  });

  it('are compared as Unicode does where the table is damaged', async () => {
    const built = anExfatVolume({ items: [{ name: 'Ä' }] });
    built.bytes[built.positionOf(3)]! ^= 1;
    const system = await open(built);
    expect(system.info.notes).toEqual([expect.stringContaining('upper-case')]);
    expect((await get(system, 'ä')).type).toBe('file');
  });

  it('are compared with tables in full and compressed form', () => {
    expect(parseUpCaseTable(new Uint8Array(Uint16Array.of(0, 0x42, 0xffff, 0x5f, 0x41).buffer))('\u0001a\u0002')).toBe('\u0042A\u0002');
    expect(parseUpCaseTable(new Uint8Array(Uint16Array.of(0xffff).buffer))('\0a')).toBe('\uffffa');
  });
});

describe('an exFAT volume', () => {
  it('tells its label, serial number and free space, as its bitmap says', async () => {
    const built = anExfatVolume({
      label: 'Диск',
      items: [
        { name: 'a', content },
        { name: 'b', content, chained: true },
      ],
    });
    const { info, free } = await open(built).then((system) => ({ info: system.info, free: system.free() }));
    expect(info).toMatchObject({
      type: 'exfat',
      label: 'Диск',
      uuid: '1234-ABCD',
      clusterSize: 512,
      journal: 'none',
      notes: [],
      freeBytes: 42 * SECTOR,
    });
    const ranges = await Array.fromAsync(free);
    expect(totalLength(ranges)).toBe(42 * SECTOR);
    expect(ranges).toHaveLength(4);
  });

  it('is dirty by its marks, and where nothing tells what is free', async () => {
    const built = anExfatVolume({ items: [] });
    built.bytes[106] = 2;
    expect((await open(built)).info).toMatchObject({ journal: 'dirty', notes: [expect.stringContaining('unmounted')] });
    built.bytes[106] = 4;
    expect((await open(built)).info).toMatchObject({ journal: 'dirty', notes: [expect.stringContaining('errors')] });
    built.bytes[106] = 0;
    built.bytes[built.positionOf(4)] = 0x01;
    const system = await open(built);
    expect(system.info).toMatchObject({ journal: 'dirty', notes: [expect.stringContaining('bitmap')] });
    expect(() => system.free()).toThrow(expect.objectContaining({ code: 'MABS-FS-DAMAGED' }));
  });

  it('is read by the backup of its boot region where that is damaged, and noted', async () => {
    const built = anExfatVolume({ items: [{ name: 'a', content }] });
    built.bytes[92] = 5;
    const system = await open(built);
    expect(await read(system, 'a')).toEqual(content);
    expect(system.info.notes).toEqual(['Its boot region is damaged; the backup of it was used.']);
    built.bytes[12 * SECTOR + 200] = 1;
    built.bytes[92] = 60;
    expect((await open(built)).info.notes).toEqual([]);
    built.bytes[200] = 2;
    expect((await open(built)).info.notes).toEqual(['The checksums of its boot region and of the backup are wrong.']);
  });

  it('whose boot sector is gone is known by the backup', async () => {
    const built = anExfatVolume({ label: 'kept', items: [{ name: 'a', content }] });
    built.bytes.fill(0, 0, SECTOR);
    expect(await detectFileSystem(memorySource(built.bytes))).toEqual({ name: 'exfat', label: 'kept' });
    expect(await read(await open(built), 'a')).toEqual(content);
    built.bytes[12 * SECTOR + 108] = 12;
    expect(await detectFileSystem(memorySource(built.bytes))).toBeUndefined();
  });

  it('of TexFAT is read by its second table and bitmap where those are the active ones', async () => {
    const built = anExfatVolume({ tables: 2, items: [{ name: 'a', content, chained: true }] });
    const first = built.firstOf.get('a')!;
    built.setEntry(first, 0, 0);
    built.bytes[built.positionOf(2) + 5] = 0xff;
    const before = await open(built);
    await expect(read(before, 'a')).rejects.toMatchObject({ kind: 'damaged' });
    built.bytes[106] = 1;
    const system = await open(built);
    expect(await read(system, 'a')).toEqual(content);
    expect(system.info.freeBytes! - before.info.freeBytes!).toBe(8 * SECTOR);
  });

  it.each([
    ['sectors of no size', 108, 4],
    ['clusters above 32 MiB', 109, 20],
    ['three tables', 110, 3],
    ['no clusters', 92, 0],
  ])('with %s in its boot sector is damaged', async (_, at, value) => {
    const built = anExfatVolume({ items: [] });
    built.bytes[at] = value;
    built.seal();
    await expect(open(built)).rejects.toMatchObject({ code: 'MABS-FS-DAMAGED' });
  });
});
