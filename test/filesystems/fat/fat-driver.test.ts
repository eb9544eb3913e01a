import { describe, expect, it } from '@jest/globals';
import { fatDriver } from '../../../src/filesystems/fat/fat-driver.ts';
import type { FileNode, FileSystem } from '../../../src/filesystems/file-system.ts';
import { totalLength } from '../../../src/lib/byte-range.ts';
import { memorySource } from '../../../src/lib/byte-source.ts';
import { fileTimeText } from '../../../src/lib/file-time.ts';
import { aFatVolume, aShortEntry, type BuiltFat, type FatItem, longEntries } from '../../builders/fat-volume.ts';

const text = (words: string) => new TextEncoder().encode(words);
const open = (built: BuiltFat) => fatDriver.open(memorySource(built.bytes));
const namesIn = async (system: FileSystem, directory?: FileNode) =>
  (await Array.fromAsync(system.list(directory ?? (await system.root())))).map(({ name }) => name);
const get = async (system: FileSystem, name: string) => (await system.find(await system.root(), name))!;
const read = async (system: FileSystem, name: string) => {
  const content = await system.open(await get(system, name));
  const bytes = new Uint8Array(content.sizeBytes);
  await content.read(0, bytes);
  return bytes;
};
const withItems = (...items: FatItem[]) => open(aFatVolume({ bits: 12, items }));

describe('names on FAT', () => {
  it('are the long ones where they belong to the short ones, in any script', async () => {
    const long = 'Отчёт 🎛 за 2024 год, вторая половина.docx';
    const system = await withItems({ short: '8D2F~1  DOC', long }, { short: 'README  TXT', long: 'ReadMe.txt' });
    expect(await namesIn(system)).toEqual([long, 'ReadMe.txt']);
  });

  it('are the short ones where the long one has another checksum, lacks a part or is out of order', async () => {
    const entry = (short: string) => aShortEntry({ short });
    const parts = longEntries('a rather long name of a file', entry('LACKS   TXT'));
    const system = await withItems(
      { raw: [...longEntries('other', entry('OTHER   TXT'), 1), entry('OTHER   TXT')] },
      { raw: [parts[0]!, parts[2]!, entry('LACKS   TXT')] },
      { raw: [parts[2]!, parts[1]!, parts[0]!, entry('ORDER   TXT')] },
      { raw: [...parts, aShortEntry({ short: '\xe5DELETE TXT' }), entry('LACKS   TXT')] },
      { short: 'FINE    TXT', long: 'fine after all that.txt' },
    );
    expect(await namesIn(system)).toEqual(['OTHER.TXT', 'LACKS.TXT', 'ORDER.TXT', 'LACKS.TXT', 'fine after all that.txt']);
  });

  it('keep the lower case that NT notes for base and extension, and bytes of code page 437', async () => {
    const system = await withItems(
      { short: 'LOWER   TXT', caseBits: 0x18 },
      { short: 'BASE    TXT', caseBits: 0x08 },
      { short: '\x80\x81NEXT', caseBits: 0 },
      { short: '\x05E5     X' },
      { short: 'NOEXT' },
    );
    expect(await namesIn(system)).toEqual(['lower.txt', 'base.TXT', 'ÇüNEXT', 'σE5.X', 'NOEXT']);
  });

  it('end at the first entry that was never used; deleted ones, labels and dot entries are none', async () => {
    const system = await withItems(
      { short: '.', attributes: 0x10 },
      { short: '..', attributes: 0x10 },
      { short: 'MY DISK', attributes: 0x08 },
      { short: '\xe5ONE' },
      { short: 'KEPT' },
      { raw: [new Uint8Array(32)] },
      { short: 'STALE' },
    );
    expect(await namesIn(system)).toEqual(['KEPT']);
    expect(system.info.label).toBe('MY DISK');
  });

  it('are found regardless of case, the exact one first', async () => {
    const system = await withItems(
      { short: 'A~1', long: 'Straße Ä.txt', content: text('1') },
      { short: 'A~2', long: 'same', content: text('2') },
      { short: 'A~3', long: 'SAME', content: text('3') },
    );
    expect(await read(system, 'STRASSE Ä.TXT').catch(() => 'none')).toBe('none');
    expect(await read(system, 'straße ä.TXT')).toEqual(text('1'));
    expect(await read(system, 'SAME')).toEqual(text('3'));
    expect(await read(system, 'Same')).toEqual(text('2'));
  });

  it('may lie across clusters of a directory', async () => {
    const items = Array.from({ length: 40 }, (_, index) => ({
      short: `F${index}`,
      long: `a long name that takes four entries, number ${index}.bin`,
    }));
    for (const bits of [12, 28] as const) {
      const system = await open(aFatVolume({ bits, clusters: 300, items: [{ short: 'SUB', items, scattered: true }] }));
      expect(await namesIn(system, await get(system, 'sub'))).toEqual(items.map(({ long }) => long));
    }
  });
});

describe('files on FAT', () => {
  const content = Uint8Array.from({ length: 5000 }, (_, index) => index * 7);

  it.each([12, 16, 28] as const)('are read through a table of %i bits, scattered or not', async (bits) => {
    const built = aFatVolume({ bits, items: [{ short: 'A', content }, { short: 'B', content, scattered: true }, { short: 'EMPTY' }] });
    const system = await open(built);
    expect(await read(system, 'A')).toEqual(content);
    expect(await read(system, 'B')).toEqual(content);
    expect(await read(system, 'EMPTY')).toEqual(new Uint8Array(0));
    expect(await system.allocation(await get(system, 'B'))).toEqual(
      built.clustersOf.get('B')!.map((cluster) => ({ offset: built.positionOf(cluster), length: 512 })),
    );
    expect(system.info).toMatchObject({ type: 'vfat', uuid: '1234-ABCD', clusterSize: 512, journal: 'none', notes: [] });
    expect(totalLength(await Array.fromAsync(system.free()))).toBe(system.info.freeBytes);
  });

  it('have times to ten milliseconds, taken as UTC, and attributes', async () => {
    const times = [150, 0x6a, 0x62, 0x98, 0x58, 0x99, 0x58, 0, 0, 0x6b, 0x62, 0x98, 0x58];
    const system = await withItems(
      { short: 'F', attributes: 0x27, times },
      { short: 'NONE' },
      { short: 'WRONG', times: [0, 255, 255, 255, 255, 0, 0, 0, 0, 255, 255, 255, 255] },
    );
    const node = await get(system, 'F');
    expect(node.attributes).toEqual(['readonly', 'hidden', 'system', 'archive']);
    expect([node.created, node.accessed, node.modified].map(fileTimeText)).toEqual([
      '2024-04-24T12:19:21.500Z',
      '2024-04-25T00:00:00Z',
      '2024-04-24T12:19:22Z',
    ]);
    expect((await get(system, 'NONE')).modified).toBeUndefined();
    expect(await get(system, 'WRONG')).not.toHaveProperty('created');
  });

  it('whose chain breaks off, runs in a circle or leaves the volume are damaged alone', async () => {
    const items = ['BREAK', 'CIRCLE', 'LEAVE', 'FREE', 'BAD', 'NONE', 'LARGE', 'FINE'].map((short) => ({
      short,
      content,
      ...(short === 'LARGE' && { size: 0xffff_ffff }),
    }));
    const built = aFatVolume({ bits: 12, clusters: 100, items });
    const third = (name: string) => built.clustersOf.get(name)![2]!;
    built.setEntry(third('BREAK'), 0xfff);
    built.setEntry(third('CIRCLE'), third('CIRCLE') - 1);
    built.setEntry(third('LEAVE'), 0xff0);
    built.setEntry(third('FREE'), 0);
    built.setEntry(third('BAD'), 0xff7);
    const at = built.root + 5 * 32;
    built.view.setUint16(at + 26, 0, true);
    const system = await open(built);
    for (const { short } of items.slice(0, -1)) {
      await expect(read(system, short)).rejects.toMatchObject({ code: 'MABS-FS-DAMAGED' });
      await expect(system.allocation(await get(system, short))).rejects.toMatchObject({ kind: 'damaged' });
    }
    expect(await read(system, 'FINE')).toEqual(content);
    expect(await namesIn(system)).toHaveLength(items.length);
  });

  it('in directories that contain themselves have one identity', async () => {
    const built = aFatVolume({ bits: 12, items: [{ short: 'LOOP', items: [{ short: 'INNER', attributes: 0x10 }] }] });
    const [cluster] = built.clustersOf.get('LOOP')!;
    built.view.setUint16(built.positionOf(cluster!) + 26, cluster!, true);
    const system = await open(built);
    const inner = (await system.find(await get(system, 'LOOP'), 'INNER'))!;
    expect((await system.find(inner, 'INNER'))!.id).toBe(inner.id);
  });

  it('are refused for what is no file, and directories for what is none', async () => {
    const system = await withItems({ short: 'DIR', items: [] }, { short: 'F', content });
    await expect(system.open(await get(system, 'DIR'))).rejects.toMatchObject({ code: 'MABS-FILE-TYPE' });
    await expect(system.open(await get(system, 'F'), 'stream')).rejects.toMatchObject({ code: 'MABS-FILE-TYPE' });
    await expect(namesIn(system, await get(system, 'F'))).rejects.toMatchObject({ code: 'MABS-FILE-TYPE' });
    expect(await system.extras(await get(system, 'F'))).toEqual({});
  });
});

describe('a FAT volume', () => {
  it('is dirty by the mark in its boot sector or in its table', async () => {
    for (const bits of [16, 28] as const) {
      const marked = aFatVolume({ bits, items: [] });
      marked.bytes[bits === 28 ? 65 : 37] = 1;
      expect((await open(marked)).info).toMatchObject({ journal: 'dirty', notes: [expect.stringContaining('unmounted')] });
      const unclean = aFatVolume({ bits, items: [] });
      unclean.setEntry(1, 2 ** bits - 1 - 2 ** (bits - 1));
      expect((await open(unclean)).info.journal).toBe('dirty');
      const failing = aFatVolume({ bits, items: [] });
      failing.setEntry(1, 2 ** bits - 1 - 2 ** (bits - 2));
      expect((await open(failing)).info.notes).toEqual([expect.stringContaining('errors')]);
    }
  });

  it('of FAT32 is read through the second table where the first is not kept up', async () => {
    const built = aFatVolume({ bits: 28, items: [{ short: 'A', content: text('x'.repeat(2000)), scattered: true }] });
    for (const cluster of built.clustersOf.get('A')!) built.setEntry(cluster, 0, 0);
    await expect(read(await open(built), 'A')).rejects.toMatchObject({ kind: 'damaged' });
    built.view.setUint16(40, 0x81, true);
    expect(await read(await open(built), 'A')).toEqual(text('x'.repeat(2000)));
  });

  it('notes where the count of free clusters differs from the table', async () => {
    const built = aFatVolume({ bits: 28, items: [] });
    built.view.setUint32(512 + 488, 7, true);
    const { freeBytes, notes } = (await open(built)).info;
    expect([freeBytes, notes]).toEqual([39 * 512, ['Its count of free clusters says 7, its table 39.']]);
  });

  it('that was cut off is read as far as it is there', async () => {
    const built = aFatVolume({ bits: 12, items: [{ short: 'A', content: text('a') }] });
    const system = await fatDriver.open(memorySource(built.bytes.subarray(0, built.positionOf(10))));
    expect(await read(system, 'A')).toEqual(text('a'));
    expect(system.info.notes).toEqual(['The volume was cut off: 32 clusters that it tells of are not there.']);
    expect(totalLength(await Array.fromAsync(system.free()))).toBe(7 * 512);
  });

  it.each([
    ['no sector size', 11, 100],
    ['no cluster size', 13, 3],
    ['no table', 16, 0],
    ['no reserved sector', 14, 0],
  ])('with %s in its boot sector is damaged', async (_, at, value) => {
    const built = aFatVolume({ bits: 12, items: [] });
    built.bytes[at] = value;
    await expect(open(built)).rejects.toMatchObject({ code: 'MABS-FS-DAMAGED' });
  });

  it('opens and finds with a number of reads that does not grow with its files', async () => {
    const items = Array.from({ length: 60 }, (_, index) => ({ short: `F${index}`, content: text('x') }));
    const built = aFatVolume({ bits: 12, clusters: 100, items });
    let reads = 0;
    const source = memorySource(built.bytes);
    const system = await fatDriver.open({
      sizeBytes: source.sizeBytes,
      read: async (offset, into) => {
        reads += 1;
        await source.read(offset, into);
      },
    });
    for (const { short } of items) expect(await read(system, short)).toEqual(text('x'));
    expect(reads).toBeLessThan(20);
  });
});
