import { spawnSync } from 'node:child_process';
import { mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anMbr } from './partition-tables.ts';
import { putSwapArea } from './swap-area.ts';

const MiB = 2 ** 20;
/** Type of the attribute of $Volume that has its flags. */
const VOLUME_INFORMATION = 0x70;
const SWAP_BYTES = MiB;

/** Whether the tools are here that make, fill, read and check NTFS without mounting it. */
export const hasNtfsTools = ['mkntfs', 'ntfscp', 'ntfscat', 'ntfsfix'].every((tool) => spawnSync(tool, ['--version']).error === undefined);

/** A disk with an NTFS volume that mkntfs made (partition 1) and a swap partition behind it (2), changed by tools of ntfs-3g. */
export interface WindowsDisk extends AsyncDisposable {
  readonly swap: { readonly offset: number; readonly length: number };
  /** Puts a file into the root, or writes a new content over it; its length may change. */
  put(name: string, content: Uint8Array): Promise<void>;
  /** Marks the volume for a check, as Windows does with one that it does not trust. */
  markDirty(): Promise<void>;
  /** The disk as it is now. */
  content(): Promise<Buffer>;
}

export async function aWindowsDisk(volumeBytes = 12 * MiB): Promise<WindowsDisk> {
  const folder = await mkdtemp(join(tmpdir(), 'mabs-windows-'));
  const volume = join(folder, 'volume.ntfs');
  await writeFile(volume, '');
  await truncate(volume, volumeBytes);
  run('mkntfs', ['--quiet', '--fast', '--force', volume]);
  const swap = { offset: MiB + volumeBytes, length: SWAP_BYTES };
  const swapped = Buffer.alloc(SWAP_BYTES, 'swapped out ');
  putSwapArea(swapped);
  const head = Buffer.alloc(MiB);
  head.set(
    anMbr([
      { type: 7, start: 2048, sectors: volumeBytes / 512 },
      { type: 0x82, start: swap.offset / 512, sectors: SWAP_BYTES / 512 },
    ]),
  );
  return {
    swap,
    async put(name, content) {
      const source = join(folder, 'file');
      await writeFile(source, content);
      run('ntfscp', ['--quiet', '--force', volume, source, name]);
    },
    async markDirty() {
      const bytes = await readFile(volume);
      const cluster = bytes.readUInt16LE(11) * bytes.readUInt8(13);
      const record = bytes.subarray(Number(bytes.readBigUInt64LE(48)) * cluster + 3 * 1024);
      let attribute = record.readUInt16LE(20);
      while (record.readUInt32LE(attribute) !== VOLUME_INFORMATION) attribute += record.readUInt32LE(attribute + 4);
      record[attribute + record.readUInt16LE(attribute + 20) + 10]! |= 1;
      await writeFile(volume, bytes);
    },
    content: async () => Buffer.concat([head, await readFile(volume), swapped]),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The NTFS volume on a disk that `aWindowsDisk` made, in a file of its own: what ntfsfix says of it, and its files. */
export async function lookIntoNtfs(disk: string, volumeBytes = 12 * MiB) {
  const path = `${disk}.ntfs`;
  await using file = await open(disk);
  const bytes = Buffer.alloc(volumeBytes);
  await file.read(bytes, 0, volumeBytes, MiB);
  await writeFile(path, bytes);
  return {
    isSound: spawnSync('ntfsfix', ['--no-action', path]).status === 0,
    file: (name: string) => run('ntfscat', ['--force', path, name]),
  };
}

function run(tool: string, words: readonly string[]): Buffer {
  const { status, stdout, stderr } = spawnSync(tool, words, { maxBuffer: 64 * MiB });
  if (status !== 0) throw new Error(`${tool} ${words.join(' ')}: ${stderr}`);
  return stdout;
}
