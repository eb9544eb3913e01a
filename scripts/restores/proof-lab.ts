import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { ByteRange } from '../../src/lib/byte-range.ts';
import type { ProofDisk } from './proof-disks.ts';

/** A simulated host whose folder a script writes by hand, and the home that backs it up. */
export interface ProofLab {
  readonly name: string;
  readonly path: string;
  readonly home: string;
  diskPath(disk: ProofDisk): string;
  /** Puts a dynamic VHDX of the disk's raw content in the place of the VM's disk; with `ranges`, says so in its change tracking. */
  replaceDisk(disk: ProofDisk, day: number, ranges: readonly ByteRange[] | undefined): Promise<void>;
}

interface Tracking {
  current: string;
  history: { from: string; to: string; ranges: [number, number][] }[];
}

/** Makes a lab with one VM a disk, all off. */
export async function createLab(folder: string, name: string, disks: readonly ProofDisk[]): Promise<ProofLab> {
  const path = join(folder, `lab-${name}`);
  for (const disk of disks) {
    await mkdir(join(path, disk.name), { recursive: true });
    const definition = {
      id: randomUUID(),
      name: disk.name,
      generation: 2,
      state: 'off',
      disks: [{ controller: 'scsi', path: 'disk0.vhdx' }],
    };
    await writeFile(join(path, disk.name, 'vm.json'), JSON.stringify(definition));
  }
  const diskPath = (disk: ProofDisk) => join(path, disk.name, 'disk0.vhdx');
  return {
    name,
    path,
    home: join(folder, `home-${name}`),
    diskPath,
    async replaceDisk(disk, day, ranges) {
      await execa('qemu-img', ['convert', '-f', 'raw', '-O', 'vhdx', '-o', 'subformat=dynamic', disk.raw, `${diskPath(disk)}.new`]);
      if (ranges) await track(`${diskPath(disk)}.rct.json`, day, ranges);
      await rename(`${diskPath(disk)}.new`, diskPath(disk));
    },
  };
}

async function track(file: string, day: number, ranges: readonly ByteRange[]): Promise<void> {
  const to = `day-${day}`;
  const tracking: Tracking = day === 0 ? { current: to, history: [] } : (JSON.parse(await readFile(file, 'utf8')) as Tracking);
  if (day > 0) {
    tracking.history.push({ from: tracking.current, to, ranges: ranges.map(({ offset, length }) => [offset, length]) });
    tracking.current = to;
  }
  await writeFile(file, JSON.stringify(tracking));
}
