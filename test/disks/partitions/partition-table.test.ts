import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readPartitionTable } from '../../../src/disks/partitions/partition-table.ts';
import { memorySource } from '../../../src/lib/byte-source.ts';
import { anMbr, putGpt } from '../../builders/partition-tables.ts';

const DATA = 'EBD0A0A2-B9E5-4433-87C0-68B6B72699C7';
const LINUX = '0FC63DAF-8483-4772-8E79-3D69D8477DE4';

const tableOf = (disk: Uint8Array, logicalSectorSize = 512) => readPartitionTable({ ...memorySource(disk), logicalSectorSize });

/** A disk of 1 MiB with these sectors at these places, in units of 512 bytes. */
function aDisk(sectors: Readonly<Record<number, Uint8Array>>, sizeBytes = 1024 * 1024): Uint8Array {
  const disk = new Uint8Array(sizeBytes);
  for (const [lba, sector] of Object.entries(sectors)) disk.set(sector, Number(lba) * 512);
  return disk;
}

describe('an MBR', () => {
  it('numbers primary partitions by their slot', async () => {
    const mbr = anMbr([undefined, { type: 0x83, start: 64, sectors: 10 }, undefined, { type: 7, start: 100, sectors: 20, status: 0x80 }]);
    expect(await tableOf(aDisk({ 0: mbr }))).toEqual({
      scheme: 'mbr',
      partitions: [
        { index: 2, offset: 64 * 512, length: 5120, type: '83' },
        { index: 4, offset: 51_200, length: 10_240, type: '7' },
      ],
    });
  });

  it('numbers logical partitions from 5, along the chain', async () => {
    const disk = aDisk({
      0: anMbr([
        { type: 0x83, start: 1, sectors: 9 },
        { type: 0x0f, start: 100, sectors: 900 },
      ]),
      100: anMbr([
        { type: 0x83, start: 2, sectors: 50 },
        { type: 5, start: 200, sectors: 100 },
      ]),
      300: anMbr([{ type: 0x8e, start: 3, sectors: 60 }]),
    });
    const { partitions } = await tableOf(disk);
    expect(partitions.map(({ index, offset, type }) => [index, offset / 512, type])).toEqual([
      [1, 1, '83'],
      [2, 100, 'f'],
      [5, 102, '83'],
      [6, 303, '8e'],
    ]);
  });

  it('counts in the sectors of the disk', async () => {
    const { partitions } = await tableOf(aDisk({ 0: anMbr([{ type: 7, start: 2, sectors: 3 }]) }), 4096);
    expect(partitions).toEqual([{ index: 1, offset: 8192, length: 12_288, type: '7' }]);
  });

  it.each([
    {
      what: 'itself',
      chain: {
        100: anMbr([
          { type: 0x83, start: 1, sectors: 1 },
          { type: 5, start: 0, sectors: 1 },
        ]),
      },
    },
    {
      what: 'an earlier record',
      chain: {
        100: anMbr([
          { type: 0x83, start: 1, sectors: 1 },
          { type: 5, start: 10, sectors: 1 },
        ]),
        110: anMbr([undefined, { type: 5, start: 0, sectors: 1 }]),
      },
    },
  ])('ends a chain that comes back to $what', async ({ chain }) => {
    const { partitions } = await tableOf(aDisk({ 0: anMbr([{ type: 5, start: 100, sectors: 100 }]), ...chain }));
    expect(partitions.map(({ index }) => index)).toEqual([1, 5]);
  });

  it('ends a chain that leaves the disk or reaches no record', async () => {
    for (const start of [5000, 0xffff_ffff, 200]) {
      const disk = aDisk({ 0: anMbr([{ type: 5, start: 100, sectors: 100 }]), 100: anMbr([undefined, { type: 5, start, sectors: 1 }]) });
      expect((await tableOf(disk)).partitions.map(({ index }) => index)).toEqual([1]);
    }
  });

  it.each([0x05, 0x0f, 0x85])('knows an extended partition by its type %i', async (type) => {
    const disk = aDisk({ 0: anMbr([{ type, start: 100, sectors: 900 }]), 100: anMbr([{ type: 0x83, start: 2, sectors: 50 }]) });
    expect((await tableOf(disk)).partitions.map(({ index, offset }) => [index, offset / 512])).toEqual([
      [1, 100],
      [5, 102],
    ]);
  });

  it('takes more than one partition from a record, and from its last slots only what lies in the extended one', async () => {
    const disk = aDisk({
      0: anMbr([{ type: 5, start: 100, sectors: 900 }]),
      100: anMbr([
        { type: 0x83, start: 2, sectors: 50 },
        { type: 0x83, start: 60, sectors: 5 },
        { type: 0x83, start: 70, sectors: 5 },
        { type: 0x83, start: 70, sectors: 5000 },
      ]),
    });
    expect((await tableOf(disk)).partitions.map(({ index, offset }) => [index, offset / 512])).toEqual([
      [1, 100],
      [5, 102],
      [6, 160],
      [7, 170],
    ]);
  });

  it('follows several extended partitions, and no record twice', async () => {
    const disk = aDisk({
      0: anMbr([
        { type: 5, start: 100, sectors: 100 },
        { type: 0x0f, start: 300, sectors: 100 },
        { type: 5, start: 100, sectors: 100 },
      ]),
      100: anMbr([{ type: 0x83, start: 2, sectors: 50 }]),
      300: anMbr([{ type: 0x83, start: 2, sectors: 50 }]),
    });
    expect((await tableOf(disk)).partitions.map(({ index, offset }) => [index, offset / 512])).toEqual([
      [1, 100],
      [2, 300],
      [3, 100],
      [5, 102],
      [6, 302],
    ]);
  });

  it('lists a partition that reaches past the end as the table has it', async () => {
    const { partitions } = await tableOf(aDisk({ 0: anMbr([{ type: 0x8e, start: 2048, sectors: 0xffff_ffff }]) }, 512));
    expect(partitions).toEqual([{ index: 1, offset: 1_048_576, length: 0xffff_ffff * 512, type: '8e' }]);
  });
});

describe('no table', () => {
  const bootCode = anMbr([{ type: 0x83, start: 1, sectors: 1, status: 0x41 }]);
  const fat = anMbr([{ type: 0x20, start: 1, sectors: 1 }]);
  new DataView(fat.buffer).setUint16(11, 512, true);
  fat.set([4, 1, 0, 2], 13);
  fat[21] = 0xf8;
  const ntfs = anMbr([{ type: 7, start: 1, sectors: 1 }]);
  ntfs.set(Buffer.from('NTFS    '), 3);
  const unsigned = anMbr([{ type: 7, start: 1, sectors: 1 }]);
  unsigned[510] = 0;
  it.each([
    { what: 'an empty disk', sector: new Uint8Array(512) },
    { what: 'a signature and nothing else, as GRUB leaves it', sector: anMbr([]) },
    { what: 'boot code where entries would be', sector: bootCode },
    { what: 'the boot sector of a FAT volume', sector: fat },
    { what: 'the boot sector of an NTFS volume', sector: ntfs },
    { what: 'entries without a signature', sector: unsigned },
    { what: 'less than a sector', sector: new Uint8Array(100) },
  ])('is seen on $what', async ({ sector }) => {
    expect(await tableOf(sector)).toEqual({ scheme: 'none', partitions: [] });
  });
});

describe('a GPT', () => {
  const entries = [
    { slot: 0, type: DATA, firstLba: 40, lastLba: 49, name: 'Basic data partition' },
    { slot: 3, type: LINUX, firstLba: 64, lastLba: 64 },
  ];
  const aGptDisk = (sectorSize = 512) => {
    const disk = new Uint8Array(1024 * 1024);
    putGpt(disk, entries, sectorSize);
    return disk;
  };
  const expected = (sectorSize: number) => ({
    scheme: 'gpt',
    partitions: [
      { index: 1, offset: 40 * sectorSize, length: 10 * sectorSize, type: DATA, name: 'Basic data partition' },
      { index: 4, offset: 64 * sectorSize, length: sectorSize, type: LINUX },
    ],
  });

  it('numbers partitions by their entry', async () => {
    expect(await tableOf(aGptDisk())).toEqual(expected(512));
  });

  it.each([
    { what: 'a disk that says so', told: 4096 },
    { what: 'a raw image, which cannot say', told: 512 },
  ])('is read in sectors of 4096 bytes on $what', async ({ told }) => {
    expect(await tableOf(aGptDisk(4096), told)).toEqual(expected(4096));
  });

  it.each([
    { what: 'header is damaged', damage: (disk: Uint8Array) => disk.fill(1, 512 + 40, 512 + 44) },
    { what: 'header is gone', damage: (disk: Uint8Array) => disk.fill(0, 512, 1024) },
    { what: 'entries are damaged', damage: (disk: Uint8Array) => disk.fill(9, 1024, 1030) },
  ])('is read from its backup when its $what', async ({ damage }) => {
    const disk = aGptDisk();
    damage(disk);
    expect(await tableOf(disk)).toEqual(expected(512));
  });

  it('with both copies damaged leaves the protective MBR', async () => {
    const disk = aGptDisk();
    disk.fill(0, 512, 1024).fill(0, disk.length - 512);
    expect(await tableOf(disk)).toMatchObject({ scheme: 'mbr', partitions: [{ index: 1, type: 'ee' }] });
  });

  it.each([
    { what: 'larger entries', array: { count: 128, size: 256 }, slot: 3 },
    { what: 'more than 128 entries', array: { count: 512, size: 128 }, slot: 300 },
    { what: 'few entries', array: { count: 4, size: 128 }, slot: 3 },
  ])('may have $what', async ({ array, slot }) => {
    const disk = new Uint8Array(1024 * 1024);
    putGpt(disk, [{ slot, type: LINUX, firstLba: 400, lastLba: 409 }], 512, array);
    expect((await tableOf(disk)).partitions).toEqual([{ index: slot + 1, offset: 400 * 512, length: 5120, type: LINUX }]);
    disk.fill(0, 512, 1024);
    expect((await tableOf(disk)).partitions).toHaveLength(1);
  });

  it.each([
    { what: 'entries that are too small', array: { count: 128, size: 64 } },
    { what: 'more entries than any disk has', array: { count: 10_000, size: 128 } },
  ])('with $what is none', async ({ array }) => {
    const disk = new Uint8Array(8 * 1024 * 1024);
    putGpt(disk, [], 512, array);
    expect((await tableOf(disk)).scheme).toBe('mbr');
  });

  it('counts where an MBR names partitions beside the protective one', async () => {
    const disk = aGptDisk();
    disk.set(
      anMbr([
        { type: 0x83, start: 40, sectors: 10 },
        { type: 0xee, start: 1, sectors: 39 },
        { type: 0xaf, start: 64, sectors: 1 },
      ]),
    );
    expect(await tableOf(disk)).toEqual(expected(512));
  });

  it('needs its protective MBR', async () => {
    const disk = aGptDisk();
    disk.fill(0, 0, 512);
    expect(await tableOf(disk)).toEqual({ scheme: 'none', partitions: [] });
  });
});

describe('a hostile table', () => {
  it('never fails, whatever its bytes are', async () => {
    const disk = new Uint8Array(256 * 1024);
    putGpt(disk, [{ slot: 0, type: DATA, firstLba: 40, lastLba: 49 }]);
    const patches = fc.array(fc.tuple(fc.nat(2048), fc.nat(255)), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(patches, fc.boolean(), async (changes, extended) => {
        const hostile = Uint8Array.from(disk);
        if (extended) hostile.set(anMbr([{ type: 5, start: 1, sectors: 100 }]));
        for (const [at, byte] of changes) hostile[at] = byte;
        const { partitions } = await tableOf(hostile);
        for (const { offset, length } of partitions) expect(Number.isSafeInteger(offset + length)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
