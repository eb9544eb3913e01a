import { constants, copyFile, mkdir, open, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import type { TakenFile } from './take-files.ts';

/** A disk with one file system, whose raw content a script makes and changes with the file system's own tools. */
export interface ProofDisk {
  readonly name: 'ext4' | 'ntfs';
  readonly raw: string;
  /** What `raw` was the day before. */
  readonly rawBefore: string;
  /** Day 0 makes the disk; every day after puts files on it, takes some away and overwrites sectors. */
  beginDay(day: number): Promise<void>;
}

/** Files that each later day brings. */
const FILES_A_DAY = 12;
const OVERWRITES_A_DAY = 20;
/** NTFS gets its files one by one. */
const MAX_NTFS_FILES = 300;

export function proofDisks(folder: string, size: number, files: readonly TakenFile[]): ProofDisk[] {
  const later = files.slice(0, FILES_A_DAY * 3);
  const atOnce = files.slice(FILES_A_DAY * 3);
  const filesOf = (day: number) => later.slice(FILES_A_DAY * (day - 1), FILES_A_DAY * day);
  const largest = atOnce.toSorted((a, b) => b.size - a.size).slice(0, MAX_NTFS_FILES);
  return [
    aDisk('ext4', folder, {
      make: (raw) => makeExt4(raw, size, atOnce, join(folder, 'files')),
      change: (raw, day) => changeExt4(raw, day, filesOf(day)),
    }),
    aDisk('ntfs', folder, {
      async make(raw) {
        await writeFile(raw, '');
        await truncate(raw, size);
        await execa('mkntfs', ['--quiet', '--fast', '--force', '--label', 'proof', raw]);
        await copyIntoNtfs(raw, largest, 0);
      },
      change: (raw, day) => copyIntoNtfs(raw, filesOf(day), day),
    }),
  ];
}

interface Making {
  make(raw: string): Promise<void>;
  change(raw: string, day: number): Promise<void>;
}

function aDisk(name: ProofDisk['name'], folder: string, { make, change }: Making): ProofDisk {
  const raw = join(folder, `${name}.raw`);
  const rawBefore = `${raw}.before`;
  return {
    name,
    raw,
    rawBefore,
    async beginDay(day) {
      if (day === 0) return await make(raw);
      await copyFile(raw, rawBefore, constants.COPYFILE_FICLONE);
      await change(raw, day);
      await overwrite(raw, day);
    },
  };
}

async function makeExt4(raw: string, size: number, files: readonly TakenFile[], staging: string): Promise<void> {
  for (const [index, { path }] of files.entries()) {
    const folder = join(staging, `${index % 50}`);
    await mkdir(folder, { recursive: true });
    await copyFile(path, join(folder, `${index}-${basename(path)}`));
  }
  await execa('mke2fs', ['-q', '-F', '-t', 'ext4', '-L', 'proof', '-d', staging, raw, `${size / 1024}k`]);
}

async function changeExt4(raw: string, day: number, files: readonly TakenFile[]): Promise<void> {
  const commands = files.map(({ path }, index) => `write "${path}" day${day}-${index}`);
  if (day > 1) commands.push(`rm day${day - 1}-0`, `rm day${day - 1}-1`);
  await execa('debugfs', ['-w', '-f', '-', raw], { input: `${commands.join('\n')}\n` });
}

async function copyIntoNtfs(raw: string, files: readonly TakenFile[], day: number): Promise<void> {
  for (const [index, { path }] of files.entries())
    await execa('ntfscp', ['--force', '--quiet', raw, path, `/day${day}-${index}-${basename(path)}`]);
}

/** Overwrites pieces of odd lengths at odd places, as a database in the guest might; some with zeros. */
async function overwrite(raw: string, day: number): Promise<void> {
  await using file = await open(raw, 'r+');
  const { size } = await file.stat();
  for (let index = 0; index < OVERWRITES_A_DAY; index += 1) {
    const offset = Math.floor(size * (0.3 + (0.69 * index) / OVERWRITES_A_DAY)) + day * 777;
    await file.write(Buffer.alloc(1000 + index * 4001, index % 5 === 0 ? 0 : `day ${day} piece ${index} `), 0, undefined, offset);
  }
}
