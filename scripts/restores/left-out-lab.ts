import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { ByteRange } from '../../src/lib/byte-range.ts';
import { differingRanges } from './differing-ranges.ts';
import type { WindowsLikeDisk } from './windows-like-disk.ts';

const MABS = fileURLToPath(new URL('../../bin/mabs.js', import.meta.url));
const BLOCK_SIZE = 256 * 1024;

export interface DayOfBackup {
  readonly pointId: string;
  readonly tracking: string;
  readonly bytesScanned: number;
  readonly bytesStored: number;
  /** Bytes that the point says were left out. */
  readonly leftOut: number;
  /** The most that had to be read: of every block that changed, or changed sides, what is kept. */
  readonly mostScanned: number;
  /** All that the pool's folder holds. */
  readonly poolBytes: number;
}

/** One VM over a disk, backed up by the program as a user runs it. */
export class LeftOutLab {
  readonly #disk: WindowsLikeDisk;
  readonly #folder: string;
  #leftOut: readonly ByteRange[] = [];
  #day = 0;

  private constructor(disk: WindowsLikeDisk) {
    this.#disk = disk;
    this.#folder = disk.folder;
  }

  static async make(disk: WindowsLikeDisk): Promise<LeftOutLab> {
    const lab = new LeftOutLab(disk);
    const vm = join(lab.#folder, 'lab', 'win');
    await mkdir(vm, { recursive: true });
    const definition = { id: randomUUID(), name: 'win', generation: 2, state: 'off', disks: [{ controller: 'scsi', path: 'disk0.vhdx' }] };
    await writeFile(join(vm, 'vm.json'), JSON.stringify(definition));
    await lab.#mabs('init');
    await lab.#mabs('host', 'add', 'hv', '--type', 'lab', '--path', join(lab.#folder, 'lab'));
    await lab.#mabs('pool', 'add', 'pool', '--path', join(lab.#folder, 'pool'));
    await lab.#putDisk([]);
    await lab.#mabs('protect', '--group', 'all', '--member', 'hv/win', '--yes');
    return lab;
  }

  /** Makes a recovery point of the disk as it is now; from the second day on by change tracking. */
  async backUp(): Promise<DayOfBackup> {
    const changed = this.#day === 0 ? await this.#allocated() : await differingRanges(this.#disk.rawBefore, this.#disk.raw);
    if (this.#day > 0) await this.#putDisk(changed);
    this.#day += 1;
    const { members } = JSON.parse(await this.#mabs('checkpoint', '--all', '--json')) as { members: (DayOfBackup & { status: string })[] };
    const [member] = members;
    if (member?.status !== 'ok') throw new Error(`the backup failed: ${JSON.stringify(member)}`);
    const shown = await this.#mabs('point', 'show', member.pointId, '--json');
    const { leftOut } = (JSON.parse(shown) as { diskDetails: { leftOut: [number, number][] }[] }).diskDetails[0]!;
    const before = this.#leftOut;
    this.#leftOut = leftOut.map(([offset, length]) => ({ offset, length }));
    const mostScanned = keptOfBlocks([...changed, ...outside(before, this.#leftOut), ...outside(this.#leftOut, before)], this.#leftOut);
    return { ...member, leftOut: sumOf(this.#leftOut), mostScanned, poolBytes: await folderBytes(join(this.#folder, 'pool')) };
  }

  /** Restores the disk of a point as raw; answers where. */
  async restore(pointId: string): Promise<string> {
    const target = join(this.#folder, `restored-${this.#day}`);
    const report = await this.#mabs('recover', pointId, '--to', `folder:${target}`, '--format', 'raw', '--json');
    return (JSON.parse(report) as { disks: { path: string }[] }).disks[0]!.path;
  }

  /** Bytes in sectors of a raw disk that differ from the guest's although the last point does not call them left out. */
  async differsOutside(raw: string): Promise<number> {
    return sumOf(outside(await differingRanges(this.#disk.raw, raw), this.#leftOut));
  }

  /** Puts a VHDX of the disk into the VM's folder, and says in its change tracking what changed. */
  async #putDisk(changed: readonly ByteRange[]): Promise<void> {
    const path = join(this.#folder, 'lab', 'win', 'disk0.vhdx');
    await execa('qemu-img', ['convert', '-f', 'raw', '-O', 'vhdx', '-o', 'subformat=dynamic', this.#disk.raw, `${path}.new`]);
    const history = this.#day === 0 ? [] : [{ from: 'day-0', to: 'day-1', ranges: changed.map(({ offset, length }) => [offset, length]) }];
    await writeFile(`${path}.rct.json`, JSON.stringify({ current: `day-${history.length}`, history }));
    await rename(`${path}.new`, path);
  }

  /** What of the VHDX is allocated, as qemu-img says. */
  async #allocated(): Promise<ByteRange[]> {
    const path = join(this.#folder, 'lab', 'win', 'disk0.vhdx');
    const { stdout } = await execa('qemu-img', ['map', '--output=json', '-f', 'vhdx', path]);
    const extents = JSON.parse(stdout) as { start: number; length: number; data: boolean }[];
    return extents.filter(({ data }) => data).map(({ start, length }) => ({ offset: start, length }));
  }

  async #mabs(...words: string[]): Promise<string> {
    const env = { MABS_HOME: join(this.#folder, 'home') };
    const { stdout } = await execa(process.execPath, [MABS, ...words, '--progress', 'none'], { env });
    return stdout;
  }
}

/** Bytes outside `leftOut` of the blocks that ranges touch. */
function keptOfBlocks(ranges: readonly ByteRange[], leftOut: readonly ByteRange[]): number {
  const blocks = new Set<number>();
  for (const { offset, length } of ranges) {
    for (let block = Math.floor(offset / BLOCK_SIZE); block * BLOCK_SIZE < offset + length; block += 1) blocks.add(block);
  }
  const touched = [...blocks].sort((a, b) => a - b).map((block) => ({ offset: block * BLOCK_SIZE, length: BLOCK_SIZE }));
  return sumOf(outside(touched, leftOut));
}

/** What of ascending ranges lies outside of others, ascending too. */
function outside(ranges: readonly ByteRange[], others: readonly ByteRange[]): ByteRange[] {
  const left: ByteRange[] = [];
  for (const { offset, length } of ranges) {
    let at = offset;
    const end = offset + length;
    for (const other of others) {
      if (other.offset >= end || other.offset + other.length <= at) continue;
      if (other.offset > at) left.push({ offset: at, length: other.offset - at });
      at = other.offset + other.length;
    }
    if (at < end) left.push({ offset: at, length: end - at });
  }
  return left;
}

const sumOf = (ranges: readonly ByteRange[]) => ranges.reduce((sum, { length }) => sum + length, 0);

async function folderBytes(folder: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) sum += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return sum;
}
