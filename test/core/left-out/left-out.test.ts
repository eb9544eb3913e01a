import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { findLeftOut, type LeftOutOrder } from '../../../src/core/left-out/left-out.ts';
import type { LogicalPlace, LogicalVolume } from '../../../src/disks/disk-format.ts';
import { diskFormats } from '../../../src/disks/registry.ts';
import type { CapturedDisk } from '../../../src/hosts/host.ts';
import type { ByteRange } from '../../../src/lib/byte-range.ts';
import { type FakeFile, type FakeFileSystem, fakeFileSystems, putFakeSystem } from '../../builders/fake-file-system.ts';
import { anMbr, type MbrEntry } from '../../builders/partition-tables.ts';
import { putSwapArea } from '../../builders/swap-area.ts';

const KiB = 1024;
const MiB = KiB * KiB;
const BLOCK = 64 * KiB;
const SECTOR = 512;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mabs-left-out-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A disk with an MBR: partitions of 1 MiB from 1 MiB on, one after another, unless they say otherwise. */
function aDisk(types: readonly (number | MbrEntry)[], sizeBytes = 8 * MiB): Buffer {
  const disk = Buffer.alloc(sizeBytes);
  const entries = types.map((type, i) =>
    typeof type === 'number' ? { type, start: ((i + 1) * MiB) / SECTOR, sectors: MiB / SECTOR } : type,
  );
  disk.set(anMbr(entries));
  return disk;
}

/** The n-th partition of such a disk, from 1. */
const part = (disk: Buffer, n: number) => disk.subarray(n * MiB, (n + 1) * MiB);

let made = 0;
async function captured(disk: Buffer, index = 0): Promise<CapturedDisk> {
  const path = join(folder, `${++made}.raw`);
  await writeFile(path, disk);
  const told = { key: path, index, controller: 'scsi', path, frozenPath: path, format: 'raw' as const };
  return { ...told, changedSince: async () => ({ unknown: 'a test' }) };
}

interface Look extends Partial<LeftOutOrder> {
  readonly systems?: Record<string, FakeFileSystem | (() => FakeFileSystem)>;
}

async function look(disks: readonly Buffer[], { systems = {}, ...order }: Look = {}) {
  const given = await Promise.all(disks.map((disk, index) => captured(disk, index)));
  const found = await findLeftOut(given, {
    ...{ diskFormats, fileSystems: fakeFileSystems(systems), leaveOut: ['pagefile'], blockSize: BLOCK },
    ...order,
  });
  return found.map(({ ranges, notes }) => ({ ranges: ranges.map(({ offset, length }) => [offset, length]), notes }));
}

/** A disk whose partition 1 is NTFS with these files, or as told. */
async function lookAtNtfs(system: FakeFileSystem, order: Look = {}) {
  const disk = aDisk([7]);
  putFakeSystem(part(disk, 1), 'windows');
  const [found] = await look([disk], { systems: { windows: system }, ...order });
  return found!;
}

const file = (name: string, at: readonly ByteRange[], more: Partial<FakeFile> = {}): FakeFile => ({ name, at, ...more });
const range = (offset: number, length: number): ByteRange => ({ offset, length });

describe('of NTFS is left out', () => {
  it('what the page, hibernation and swap files of its root are allocated, to the cluster', async () => {
    const files = [
      file('pagefile.sys', [range(100 * KiB, 40 * KiB), range(300 * KiB, 4 * KiB)], { attributes: ['hidden', 'system'] }),
      file('HIBERFIL.SYS', [range(140 * KiB, 8 * KiB)]),
      file('SwapFile.sys', [range(4 * KiB, 4 * KiB)]),
      file('notes.sys', [range(600 * KiB, 4 * KiB)]),
    ];
    expect(await lookAtNtfs({ files })).toEqual({
      ranges: [
        [MiB + 4 * KiB, 4 * KiB],
        [MiB + 100 * KiB, 48 * KiB],
        [MiB + 300 * KiB, 4 * KiB],
      ],
      notes: [
        { volume: '/disk0/p1', what: 'pagefile.sys', bytes: 44 * KiB },
        { volume: '/disk0/p1', what: 'hiberfil.sys', bytes: 8 * KiB },
        { volume: '/disk0/p1', what: 'swapfile.sys', bytes: 4 * KiB },
      ],
    });
  });

  it('no page file that is more than that, with the reason', async () => {
    const at = [range(64 * KiB, 64 * KiB)];
    const kept = async (more: Partial<FakeFile>) => (await lookAtNtfs({ files: [file('pagefile.sys', at, more)] })).notes;
    for (const attribute of ['compressed', 'encrypted', 'reparse', 'sparse', 'offline', 'deduplicated'] as const) {
      const note = { volume: '/disk0/p1', what: 'pagefile.sys', kept: `it is marked as ${attribute}` };
      expect(await kept({ attributes: ['system', attribute] })).toEqual([note]);
    }
    expect(await kept({ type: 'dir' })).toMatchObject([{ kept: 'it is no regular file' }]);
    expect(await kept({ links: 2 })).toMatchObject([{ kept: 'it has another name too' }]);
    expect(await kept({ unreadable: 'encrypted by EFS' })).toMatchObject([{ kept: 'encrypted by EFS' }]);
    expect(await lookAtNtfs({ files: [file('pagefile.sys', [])] })).toEqual({ ranges: [], notes: [] });
  });

  it('nothing while its journal is not clean', async () => {
    const found = await lookAtNtfs(
      { journal: 'dirty', files: [file('pagefile.sys', [range(0, MiB)])] },
      { leaveOut: ['pagefile', 'free'] },
    );
    const note = { volume: '/disk0/p1', kept: 'its ntfs is not clean: changes may be pending that are not seen' };
    expect(found).toEqual({ ranges: [], notes: [note] });
  });

  it('nothing where it cannot be looked at, not even what was found before that', async () => {
    const files = [file('pagefile.sys', [range(64 * KiB, 64 * KiB)])];
    const free = async function* () {
      yield range(256 * KiB, 256 * KiB);
      throw new Error('the bitmap is damaged');
    };
    const found = await lookAtNtfs({ files, free }, { leaveOut: ['pagefile', 'free'] });
    expect(found).toEqual({ ranges: [], notes: [{ volume: '/disk0/p1', kept: 'the bitmap is damaged' }] });
    const unopened = await lookAtNtfs({}, { systems: {} });
    expect(unopened).toEqual({ ranges: [], notes: [{ volume: '/disk0/p1', kept: 'there is nothing called windows' }] });
  });

  it('nothing past its partition, whatever it says', async () => {
    const files = [file('pagefile.sys', [range(960 * KiB, 10 * MiB)]), file('swapfile.sys', [range(2 * MiB, MiB)])];
    expect(await lookAtNtfs({ files })).toEqual({
      ranges: [[MiB + 960 * KiB, 64 * KiB]],
      notes: [{ volume: '/disk0/p1', what: 'pagefile.sys', bytes: 64 * KiB }],
    });
    for (const wrong of [range(-4096, 4096), range(Number.NaN, 1), range(2 ** 53, 1), range(0.5, 1)]) {
      const { ranges, notes } = await lookAtNtfs({ files: [file('pagefile.sys', [wrong])] });
      expect([ranges, notes[0]!.kept]).toEqual([[], expect.stringContaining('no range')]);
    }
  });

  it('nothing where the policy leaves nothing out, and its file system is not even opened', async () => {
    const systems = fakeFileSystems({ windows: { files: [file('pagefile.sys', [range(0, MiB)])] } });
    expect(await lookAtNtfs({}, { fileSystems: systems, leaveOut: [] })).toEqual({ ranges: [], notes: [] });
    expect(systems.opened).toEqual([]);
  });
});

describe('of a swap partition is left out', () => {
  const lookAtSwap = async (put: (volume: Buffer) => void, type = 0x82) => {
    const disk = aDisk([type]);
    part(disk, 1).fill('S');
    put(part(disk, 1));
    return (await look([disk]))[0]!;
  };

  it.each([4096, 8192, 16_384, 65_536])('all but its first page of %i bytes', async (pageBytes) => {
    expect(await lookAtSwap((volume) => putSwapArea(volume, { pageBytes }))).toEqual({
      ranges: [[MiB + pageBytes, MiB - pageBytes]],
      notes: [{ volume: '/disk0/p1', what: 'swap', bytes: MiB - pageBytes }],
    });
  });

  it('only what its header counts as swap', async () => {
    expect((await lookAtSwap((volume) => putSwapArea(volume, { pages: 100 }))).ranges).toEqual([[MiB + 4096, 99 * 4096]]);
  });

  it('nothing while it holds a hibernated system, or its header is not to be relied on', async () => {
    const kept = async (put: (volume: Buffer) => void, type?: number) => {
      const { ranges, notes } = await lookAtSwap(put, type);
      expect(ranges).toEqual([]);
      return notes.map((note) => note.kept);
    };
    expect(await kept((volume) => putSwapArea(volume, { signature: 'S1SUSPEND\0' }))).toEqual([
      'it holds the image of a hibernated system',
    ]);
    expect(await kept((volume) => putSwapArea(volume, { version: 2 }))).toEqual(['its swap header has the version 2']);
    expect(await kept((volume) => putSwapArea(volume, { pages: 257 }))).toEqual(['its swap header does not fit the volume']);
    expect(await kept((volume) => putSwapArea(volume, { pages: 1 }))).toEqual(['its swap header does not fit the volume']);
    expect(await kept((volume) => putSwapArea(volume, { signature: 'SWAP-SPACE' }))).toEqual([
      'its swap signature is of a kind that Linux no longer uses',
    ]);
    expect(await kept((volume) => putSwapArea(volume), 0x42)).toEqual([
      'the volume belongs to a Windows dynamic disk, which mabs does not read',
    ]);
  });

  it('nothing where something else was made over it without wiping it', async () => {
    const zfs = await lookAtSwap((volume) => {
      putSwapArea(volume);
      volume.writeBigUInt64LE(0x00bab10cn, 128 * KiB);
    });
    expect(zfs.ranges).toEqual([]);
    const fat = await lookAtSwap((volume) => {
      putSwapArea(volume);
      volume.set([0xeb, 0x58, 0x90], 0);
      volume.set([0, 2, 1, 32, 0, 2], 11);
      volume.writeUInt8(0xf8, 21);
      volume.write('FAT32   ', 82);
    });
    expect(fat.ranges).toEqual([]);
  });
});

describe('free clusters are left out', () => {
  const free = () => [range(0, 100 * KiB), range(130 * KiB, 200 * KiB), range(900 * KiB, 124 * KiB)];

  it('only where the policy says so, in whole blocks of the pool', async () => {
    expect((await lookAtNtfs({ free })).ranges).toEqual([]);
    expect(await lookAtNtfs({ free }, { leaveOut: ['free'] })).toEqual({
      ranges: [
        [MiB, 64 * KiB],
        [MiB + 192 * KiB, 128 * KiB],
        [MiB + 960 * KiB, 64 * KiB],
      ],
      notes: [{ volume: '/disk0/p1', what: 'free', bytes: 256 * KiB }],
    });
  });

  it('joined with each other before they are cut to blocks', async () => {
    const pieces = Array.from({ length: 32 }, (_, i) => range(128 * KiB + i * 4 * KiB, 4 * KiB));
    expect((await lookAtNtfs({ free: () => pieces }, { leaveOut: ['free'] })).ranges).toEqual([[MiB + 128 * KiB, 128 * KiB]]);
  });

  it('beside the page file', async () => {
    const files = [file('pagefile.sys', [range(512 * KiB, 10 * KiB)])];
    expect((await lookAtNtfs({ files, free }, { leaveOut: ['pagefile', 'free'] })).notes).toEqual([
      { volume: '/disk0/p1', what: 'pagefile.sys', bytes: 10 * KiB },
      { volume: '/disk0/p1', what: 'free', bytes: 256 * KiB },
    ]);
  });

  it('of a journal that was replayed too, and of no volume that is unknown or encrypted', async () => {
    const disk = aDisk([7, 0x83, 7, 0x83]);
    putFakeSystem(part(disk, 1), 'linux');
    part(disk, 2).write('LUKS\xba\xbe', 'latin1');
    putFakeSystem(part(disk, 3), 'x', '-FVE-FS-');
    const [found] = await look([disk], { systems: { linux: { journal: 'replayed', free } }, leaveOut: ['pagefile', 'free'] });
    expect(found!.ranges).toHaveLength(3);
    expect(found!.notes).toEqual([
      { volume: '/disk0/p1', what: 'free', bytes: 256 * KiB },
      { volume: '/disk0/p2', kept: 'the volume is encrypted by LUKS, which mabs does not read' },
      { volume: '/disk0/p3', kept: 'the volume is encrypted by BitLocker, which mabs does not read' },
      { volume: '/disk0/p4', kept: expect.any(String) },
    ]);
  });

  it('in a bounded number of ranges, the longest', async () => {
    const every = function* () {
      for (let i = 0; i < 5000; i++) yield range(i * 3 * 4 * KiB, (i % 100 === 7 ? 2 : 1) * 4 * KiB);
    };
    const disk = Buffer.alloc(64 * MiB);
    disk.set(anMbr([{ type: 7, start: 2048, sectors: (60 * MiB) / SECTOR }]));
    putFakeSystem(disk.subarray(MiB), 'large');
    const [found] = await look([disk], { systems: { large: { free: every } }, leaveOut: ['free'], blockSize: 4 * KiB });
    expect(found!.ranges).toHaveLength(4096);
    expect(found!.ranges.filter(([, length]) => length === 8 * KiB)).toHaveLength(50);
    expect(found!.notes).toEqual([{ volume: '/disk0/p1', what: 'free', bytes: (4096 + 50) * 4 * KiB }]);
  });
});

describe('of logical volumes', () => {
  const STRIPE = 16 * KiB;
  /** Two disks with a physical volume each, and over both a volume of 1 MiB in stripes from 256 KiB of each on. */
  const twoDisks = () => {
    const disks = [aDisk([0x8e]), aDisk([0x8e])];
    for (const disk of disks) {
      part(disk, 1).write('LABELONE', 512, 'latin1');
      part(disk, 1).write('LVM2 001', 536, 'latin1');
    }
    const placeOf = (at: number) => {
      const stripe = Math.floor(at / STRIPE);
      return { member: stripe % 2, position: 256 * KiB + Math.floor(stripe / 2) * STRIPE + (at % STRIPE) };
    };
    const place = ({ offset, length }: ByteRange): LogicalPlace[] => {
      const places: LogicalPlace[] = [];
      for (let at = offset; at < offset + length; ) {
        const until = Math.min(offset + length, (Math.floor(at / STRIPE) + 1) * STRIPE);
        places.push({ offset: at, length: until - at, ...placeOf(at) });
        at = until;
      }
      return places;
    };
    const fill = (content: Buffer) => {
      for (const { offset, length, member, position } of place(range(0, content.length))) {
        content.copy(part(disks[member]!, 1), position, offset, offset + length);
      }
    };
    const logical = { group: 'vg', groupId: 'id', name: 'lv', sizeBytes: MiB, place };
    const formats = (more: Partial<LogicalVolume> = {}) => ({ ...diskFormats, logicalVolumes: async () => [{ ...logical, ...more }] });
    return { disks, fill, formats };
  };

  it('swap is left out of each disk that it lies on', async () => {
    const { disks, fill, formats } = twoDisks();
    const swap = Buffer.alloc(MiB, 'S');
    putSwapArea(swap);
    fill(swap);
    const found = await look(disks, { diskFormats: formats() });
    expect(found).toEqual([
      {
        ranges: [[MiB + 256 * KiB + 4 * KiB, 508 * KiB]],
        notes: [{ volume: '/lv/vg/lv', what: 'swap', bytes: 508 * KiB }],
      },
      { ranges: [[MiB + 256 * KiB, 512 * KiB]], notes: [{ volume: '/lv/vg/lv', what: 'swap', bytes: 512 * KiB }] },
    ]);
  });

  it('free clusters of stripes are joined before they are cut to blocks', async () => {
    const { disks, fill, formats } = twoDisks();
    const volume = Buffer.alloc(MiB);
    putFakeSystem(volume, 'striped');
    fill(volume);
    const systems = { striped: { free: () => [range(256 * KiB, 512 * KiB)] } };
    const found = await look(disks, { diskFormats: formats(), systems, leaveOut: ['free'] });
    expect(found.map(({ ranges }) => ranges)).toEqual(Array(2).fill([[MiB + 384 * KiB, 256 * KiB]]));
  });

  it('nothing is left out where they cannot be read, or their physical volume overlaps a partition', async () => {
    const { disks, fill, formats } = twoDisks();
    const swap = Buffer.alloc(MiB, 'S');
    putSwapArea(swap);
    fill(swap);
    const [first] = await look(disks, { diskFormats: formats({ unreadable: 'pv1 is missing' }) });
    expect(first).toEqual({ ranges: [], notes: [{ volume: '/lv/vg/lv', kept: 'pv1 is missing' }] });
    const entries = [
      { type: 0x8e, start: 2048, sectors: 2048 },
      { type: 0x83, start: 4000, sectors: 2048 },
    ];
    disks[1]!.set(anMbr(entries));
    const [over] = await look(disks, { diskFormats: formats() });
    expect(over).toEqual({
      ranges: [],
      notes: [{ volume: '/lv/vg/lv', kept: 'a physical volume of this machine overlaps a partition' }],
    });
  });
});

describe('nothing is left out', () => {
  const swapAt = (disk: Buffer, offset: number, length: number) => putSwapArea(disk.subarray(offset, offset + length));

  it('of partitions that overlap', async () => {
    const disk = aDisk([
      { type: 0x82, start: 2048, sectors: 4096 },
      { type: 0x82, start: 2048 * 2, sectors: 2048 },
      { type: 0x82, start: 2048 * 4, sectors: 2048 },
    ]);
    swapAt(disk, MiB, 2 * MiB);
    swapAt(disk, 2 * MiB, MiB);
    swapAt(disk, 4 * MiB, MiB);
    expect(await look([disk])).toEqual([
      {
        ranges: [[4 * MiB + 4096, MiB - 4096]],
        notes: [
          { volume: '/disk0/p1', kept: 'it overlaps /disk0/p2' },
          { volume: '/disk0/p2', kept: 'it overlaps /disk0/p1' },
          { volume: '/disk0/p3', what: 'swap', bytes: MiB - 4096 },
        ],
      },
    ]);
  });

  it('of a range that two partitions claim', async () => {
    const entry = { type: 0x82, start: 2048, sectors: 2048 };
    const disk = aDisk([entry, entry]);
    swapAt(disk, MiB, MiB);
    expect((await look([disk]))[0]!.ranges).toEqual([]);
  });

  it('of a disk that bears a signature as a whole beside its partitions', async () => {
    const disk = aDisk([0x82]);
    swapAt(disk, MiB, MiB);
    disk.write('_BHRfS_M', 65_600);
    expect((await look([disk]))[0]).toEqual({
      ranges: [],
      notes: [{ volume: '/disk0/p1', kept: 'the disk as a whole bears the signature of btrfs' }],
    });
  });

  it('of a disk that cannot be opened, while the others are looked at', async () => {
    const disk = aDisk([0x82]);
    swapAt(disk, MiB, MiB);
    const good = await captured(disk, 1);
    const bad = { ...(await captured(disk, 0)), frozenPath: join(folder, 'nothing-there.raw') };
    const order = { diskFormats, fileSystems: fakeFileSystems({}), leaveOut: ['pagefile' as const], blockSize: BLOCK };
    const [first, second] = await findLeftOut([bad, good], order);
    expect(first).toEqual({ ranges: [], notes: [{ volume: '/disk0', kept: expect.stringContaining('nothing-there') }] });
    expect(second!.notes).toEqual([{ volume: '/disk1/p1', what: 'swap', bytes: MiB - 4096 }]);
  });

  it('once the job was asked to stop', async () => {
    const disk = aDisk([0x82]);
    swapAt(disk, MiB, MiB);
    await expect(look([disk], { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'MABS-INTERRUPTED' });
  });
});
