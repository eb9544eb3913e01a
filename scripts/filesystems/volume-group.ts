import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openImage } from '../../src/core/inside/opened-image.ts';
import { diskFormats } from '../../src/disks/registry.ts';
import { fileSystems } from '../../src/filesystems/registry.ts';
import { compareSystem } from './compare-image.ts';
import type { ContentOptions } from './content.ts';
import { CannotMakeError, type MadeImage, makeImage, tool } from './make-image.ts';
import { VARIANTS } from './variants.ts';

const MIB = 1024 * 1024;
const DISKS = 3;
const GROUP = 'vg0';
/** Which variant lies on which logical volume. */
const VOLUMES = [
  { name: 'root', variant: 'ext4', stripes: 1 },
  { name: 'data-striped', variant: 'xfs', stripes: 3 },
] as const;

/**
 * File systems on logical volumes over three disks, linear and striped: LVM itself makes the group, without the kernel's part, and
 * the bytes of file systems that were made apart are put where LVM says that the extents are.
 */
export async function compareVolumeGroup(folder: string, content: ContentOptions) {
  const disks = Array.from({ length: DISKS }, (_, index) => join(folder, `disk${index}.img`));
  for (const disk of disks) {
    writeFileSync(disk, '');
    truncateSync(disk, 400 * MIB);
  }
  const made = VOLUMES.map(({ name, variant }) => {
    const own = join(folder, name);
    mkdirSync(own);
    return makeImage(VARIANTS.find((one) => one.name === variant)!, own, content);
  });
  const loops = disks.map((disk) => tool('losetup', '-f', '--show', disk).trim());
  try {
    makeGroup(folder, loops, made);
  } finally {
    for (const loop of loops) tool('losetup', '-d', loop);
  }
  const total = { files: 0, bytes: 0, problems: [] as string[] };
  await using machine = openImage({ diskFormats, fileSystems }, { image: disks[0]!, with: disks.slice(1) });
  for (const [index, { name }] of VOLUMES.entries()) {
    const system = await machine.fileSystem(await machine.volume({ type: 'logical', group: GROUP, volume: name }));
    const compared = await compareSystem(system, made[index]!, { timeUnit: 1n, lastSecond: Number.MAX_SAFE_INTEGER, posix: true });
    total.files += compared.files;
    total.bytes += compared.bytes;
    total.problems.push(...compared.problems.map((problem) => `${name}: ${problem}`));
  }
  return total;
}

function makeGroup(folder: string, loops: readonly string[], made: readonly MadeImage[]): void {
  const lvm = lvmIn(folder, loops);
  try {
    lvm('pvcreate', ...loops);
    lvm('vgcreate', '-s', '4m', GROUP, ...loops);
  } catch (error) {
    throw new CannotMakeError(`lvm: ${error instanceof Error ? error.message.split('\n')[0] : error}`, { cause: error });
  }
  const starts = new Map(lines(lvm('pvs', ...COLUMNS, '-o', 'pv_name,pe_start')).map(([name, start]) => [name!, Number(start)]));
  for (const [index, { name, stripes }] of VOLUMES.entries()) {
    const megabytes = VARIANTS.find((one) => one.name === VOLUMES[index]!.variant)!.mebibytes;
    const striped = stripes > 1 ? ['-i', String(stripes), '-I', '64k'] : [];
    // In two steps, so that each has segments of its own.
    lvm('lvcreate', '-an', '-Zn', '-Wn', '-L', '96m', ...striped, '-n', name, GROUP);
    lvm('lvextend', '-L', `${Math.ceil(megabytes / 12) * 12}m`, `${GROUP}/${name}`);
    const segments = lines(lvm('lvs', ...COLUMNS, '-o', 'seg_start,seg_size,stripesize,seg_pe_ranges', `${GROUP}/${name}`));
    for (const segment of segments) putSegment(segment, starts, made[index]!.image);
  }
}

const COLUMNS = ['--units', 'b', '--nosuffix', '--noheadings', '--separator', '|'];
const EXTENT = 4 * MIB;

/** Copies what a segment of a logical volume holds to where it lies, stripe by stripe. */
function putSegment([start, size, stripe, ranges]: string[], starts: ReadonlyMap<string, number>, image: string): void {
  const places = ranges!.split(' ').map((range) => {
    const [, disk, first] = /^(.*):(\d+)-\d+$/.exec(range)!;
    return { disk: openSync(disk!, 'r+'), offset: starts.get(disk!)! + Number(first) * EXTENT };
  });
  const from = openSync(image, 'r');
  const piece = Buffer.alloc(places.length > 1 ? Number(stripe) : MIB);
  for (let done = 0, turn = 0; done < Number(size); done += piece.length, turn += 1) {
    const { disk, offset } = places[turn % places.length]!;
    piece.fill(0);
    readSync(from, piece, 0, piece.length, Number(start) + done);
    writeSync(disk, piece, 0, piece.length, offset + Math.floor(turn / places.length) * piece.length);
  }
  for (const file of [from, ...places.map(({ disk }) => disk)]) closeSync(file);
}

/** LVM that knows these devices alone, and no device-mapper. */
function lvmIn(folder: string, loops: readonly string[]) {
  const filter = [...loops.map((loop) => `"a|^${loop}$|"`), '"r|.*|"'].join(',');
  const config = `global { locking_dir="${folder}" } devices { use_devicesfile=0 obtain_device_list_from_udev=0 external_device_info_source="none" filter=[${filter}] } activation { udev_sync=0 udev_rules=0 monitoring=0 } backup { backup=0 archive=0 }`;
  const env = { ...process.env, LVM_SYSTEM_DIR: folder, LVM_SUPPRESS_FD_WARNINGS: '1', PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  return (verb: string, ...words: string[]) =>
    execFileSync('lvm', [verb, '--driverloaded', 'n', '--config', config, ...words], {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
      encoding: 'utf8',
    });
}

const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim().split('|'))
    .filter((fields) => fields.length > 1);
