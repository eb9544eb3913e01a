import { describe, expect, it } from '@jest/globals';
import { type ListedFile, type ListOptions, listFiles } from '../../../src/core/inside/list-files.ts';
import { openContent } from '../../../src/core/inside/open-content.ts';
import { type DiskToOpen, OpenedMachine } from '../../../src/core/inside/opened-machine.ts';
import { parseVolumePath } from '../../../src/core/inside/volume-path.ts';
import { diskFormats } from '../../../src/disks/registry.ts';
import {
  type FileSystem,
  FileSystemDamagedError,
  type FileSystems,
  FileSystemUnsupportedError,
} from '../../../src/filesystems/file-system.ts';
import type { Volume } from '../../../src/filesystems/volume.ts';
import { aMemoryDisk } from '../../builders/memory-disk.ts';
import { memoryFileSystem } from '../../builders/memory-file-system.ts';
import { anMbr } from '../../builders/partition-tables.ts';

const SECTOR = 512;

/** A disk of 64 KiB with two partitions; at the start of each, a letter that says what lies on it. */
function aDisk(first: string, second: string): Uint8Array {
  const disk = new Uint8Array(64 * 1024);
  disk.set(
    anMbr([
      { type: 0x83, start: 16, sectors: 32 },
      { type: 0x83, start: 64, sectors: 32 },
    ]),
  );
  disk.set(Buffer.from(first), 16 * SECTOR);
  disk.set(Buffer.from(second), 64 * SECTOR);
  return disk;
}

const files = memoryFileSystem(
  [
    {
      name: 'docs',
      children: [
        { name: 'a.txt', content: 'one' },
        { name: 'B.TXT', content: 'two', modified: 1_700_000_000_123_456_700n },
      ],
    },
    { name: 'setup.exe', content: 'bytes', streamContents: { 'Zone.Identifier': 'from afar' }, attributes: ['archive'], mode: 0o644 },
    { name: 'a:b', content: 'a name with a colon' },
    { name: 'way', target: 'docs' },
    { name: 'pipe', type: 'other', special: 'fifo' },
    { name: 'broken', damaged: true },
  ],
  'utf16',
);

/** What is opened by the letter at the start of a volume. */
class LetterSystems implements FileSystems {
  opened = 0;
  async open(volume: Volume): Promise<FileSystem> {
    this.opened++;
    const letter = new Uint8Array(1);
    await volume.read(0, letter);
    if (letter[0] === 'F'.charCodeAt(0)) return files;
    if (letter[0] === 'D'.charCodeAt(0)) throw new FileSystemDamagedError('memory', 'its root is gone');
    throw new FileSystemUnsupportedError('the volume is BitLocker');
  }
}

function aMachine(...disks: Uint8Array[]) {
  const opened: number[] = [];
  const closed: number[] = [];
  const systems = new LetterSystems();
  const toOpen = disks.map(
    (bytes, index): DiskToOpen => ({
      index,
      async open() {
        opened.push(index);
        const source = aMemoryDisk(bytes);
        return Object.assign(source, { [Symbol.asyncDispose]: async () => void closed.push(index) });
      },
    }),
  );
  return { machine: new OpenedMachine('web@1', { diskFormats, fileSystems: systems }, toOpen), opened, closed, systems };
}

const inPoint = (text: string) => parseVolumePath(text, { machine: true });
const list = (machine: OpenedMachine, path: string, options: ListOptions = {}): Promise<ListedFile[]> =>
  Array.fromAsync(listFiles(machine, inPoint(path), options));
const paths = async (...args: Parameters<typeof list>) => (await list(...args)).map(({ path }) => path);

async function read(machine: OpenedMachine, path: string): Promise<string> {
  const content = await openContent(machine, inPoint(path));
  const bytes = new Uint8Array(content.sizeBytes);
  await content.read(0, bytes);
  return Buffer.from(bytes).toString('latin1');
}

describe('the disks of a machine', () => {
  it('are opened when something on them is asked for, once, and closed at the end', async () => {
    const { machine, opened, closed, systems } = aMachine(aDisk('F', 'D'), aDisk('F', 'F'));
    {
      await using _machine = machine;
      expect(opened).toEqual([]);
      await list(machine, '/disk1/p1');
      await list(machine, '/disk1/p1/docs');
      expect(opened).toEqual([1]);
      expect(systems.opened).toBe(1);
    }
    expect(closed).toEqual([1]);
  });

  it('are closed too when one of them could not be opened', async () => {
    const { machine, closed } = aMachine(aDisk('F', 'F'));
    await machine.volumes({ type: 'disk', disk: 0 });
    await machine[Symbol.asyncDispose]();
    expect(closed).toEqual([0]);
    const failing = new OpenedMachine('web@1', { diskFormats, fileSystems: new LetterSystems() }, [
      { index: 0, open: () => Promise.reject(new Error('no')) },
    ]);
    await expect(failing.disk(0)).rejects.toThrow('no');
    await failing[Symbol.asyncDispose]();
  });

  it('tell which of them and of their volumes there are', async () => {
    const { machine } = aMachine(aDisk('F', 'F'));
    await expect(list(machine, '/disk7/p1')).rejects.toMatchObject({ code: 'MABS-DISK-UNKNOWN', hint: 'It has disk0.' });
    await expect(list(machine, '/disk0/p7')).rejects.toMatchObject({ code: 'MABS-VOLUME-UNKNOWN', hint: 'It has /disk0/p1, /disk0/p2.' });
    await expect(list(machine, '/lv/vg/root')).rejects.toMatchObject({ code: 'MABS-VOLUME-UNKNOWN' });
    await expect(list(machine, '/lv/vg')).rejects.toMatchObject({ code: 'MABS-VOLUME-UNKNOWN' });
  });

  it('are a volume as a whole where nothing known lies on them', async () => {
    const { machine } = aMachine(new Uint8Array(4096).fill(0x20));
    expect(await list(machine, '/')).toMatchObject([
      { path: '/disk0/p1', type: 'other', size: 4096, unreadable: 'the volume is BitLocker' },
    ]);
  });
});

describe('a listing', () => {
  const { machine } = aMachine(aDisk('F', 'B'), aDisk('D', 'F'));

  it('of everything names the volumes, and says why one cannot be read', async () => {
    expect(await list(machine, '/')).toMatchObject([
      { path: '/disk0/p1', type: 'dir', size: 16_384, fileSystem: null, modified: null },
      { path: '/disk0/p2', type: 'other', unreadable: 'the volume is BitLocker' },
      { path: '/disk1/p1', type: 'other', error: { code: 'MABS-FS-DAMAGED' } },
      { path: '/disk1/p2', type: 'dir' },
    ]);
    expect(await paths(machine, '/disk1')).toEqual(['/disk1/p1', '/disk1/p2']);
  });

  it('of everything to the last file has the volume in front of each path', async () => {
    const all = await paths(machine, '/disk0', { recursive: true });
    expect(all).toContain('/disk0/p1/docs/a.txt');
    expect(all.at(-1)).toBe('/disk0/p2');
  });

  it('of a volume has the paths inside it, with what is known of each', async () => {
    expect(await list(machine, '/disk0/p1')).toEqual([
      { path: '/a:b', type: 'file', size: 19, modified: null },
      { path: '/broken', type: 'other', size: 0, modified: null, error: expect.objectContaining({ code: 'MABS-FS-DAMAGED' }) },
      { path: '/docs', type: 'dir', size: 0, modified: null },
      { path: '/pipe', type: 'other', size: 0, modified: null },
      {
        ...{ path: '/setup.exe', type: 'file', size: 5, modified: null, mode: 0o644, attributes: ['archive'] },
        streams: [{ name: 'Zone.Identifier', size: 9 }],
      },
      { path: '/way', type: 'link', size: 0, modified: null, target: 'docs' },
    ]);
    expect(await list(machine, '/disk0/p1/DOCS')).toEqual([
      { path: '/docs/B.TXT', type: 'file', size: 3, modified: '2023-11-14T22:13:20.123456700Z' },
      { path: '/docs/a.txt', type: 'file', size: 3, modified: null },
    ]);
  });

  it('of a file is that file, and of a link the link', async () => {
    expect(await paths(machine, '/disk0/p1/docs/a.txt')).toEqual(['/docs/a.txt']);
    expect(await list(machine, '/disk0/p1/way', { recursive: true })).toMatchObject([{ path: '/way', type: 'link', target: 'docs' }]);
  });

  it('has streams as entries on request', async () => {
    expect(await paths(machine, '/disk0/p1/setup.exe', { streams: true })).toEqual(['/setup.exe', '/setup.exe:Zone.Identifier']);
  });

  it('of what cannot be read, asked for itself, fails with the reason', async () => {
    await expect(list(machine, '/disk0/p2')).rejects.toMatchObject({
      ...{ code: 'MABS-FS-UNSUPPORTED', kind: 'prerequisite', message: '/disk0/p2: the volume is BitLocker' },
    });
    await expect(list(machine, '/disk1/p1')).rejects.toMatchObject({ code: 'MABS-FS-DAMAGED', kind: 'damaged' });
  });

  it('finds by pattern, from here and from the root', async () => {
    expect(await paths(machine, '/disk0/p1', { glob: '*.txt' })).toEqual(['/docs/B.TXT', '/docs/a.txt']);
    expect(await paths(machine, '/disk0/p1/docs', { glob: '/docs/a*' })).toEqual(['/docs/a.txt']);
    expect(await paths(machine, '/disk0', { glob: '/disk0/p1/docs/a*' })).toEqual(['/disk0/p1/docs/a.txt']);
    await expect(list(machine, '/disk0/p1', { glob: '' })).rejects.toMatchObject({ code: 'MABS-PATTERN-UNREADABLE' });
  });
});

describe('reading content', () => {
  const { machine } = aMachine(aDisk('F', 'B'));

  it('gives files, and streams where no file has that very name', async () => {
    expect(await read(machine, '/disk0/p1/docs/a.txt')).toBe('one');
    expect(await read(machine, '/disk0/p1/a:b')).toBe('a name with a colon');
    expect(await read(machine, '/disk0/p1/setup.exe:zone.identifier')).toBe('from afar');
  });

  it('gives volumes and disks as they are', async () => {
    expect(await read(machine, '/disk0/p2')).toBe(`B${'\0'.repeat(16_383)}`);
    expect((await read(machine, '/disk0')).length).toBe(64 * 1024);
  });

  it.each([
    ['/disk0/p1/docs', 'MABS-FILE-TYPE', /is a folder/],
    ['/disk0/p1/', 'MABS-FILE-TYPE', /is a folder/],
    ['/disk0/p1/way', 'MABS-FILE-TYPE', /link to docs/],
    ['/disk0/p1/pipe', 'MABS-FILE-TYPE', /fifo/],
    ['/', 'MABS-FILE-TYPE', /several/],
    ['/disk0/p1/setup.exe:nothing', 'MABS-FILE-UNKNOWN', /no \/setup.exe:nothing/],
    ['/disk0/p1/gone:nothing', 'MABS-FILE-UNKNOWN', /gone/],
    ['/disk0/p2/x', 'MABS-FS-UNSUPPORTED', /BitLocker/],
  ])('of %s fails with %s', async (path, code, message) => {
    await expect(read(machine, path)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});
