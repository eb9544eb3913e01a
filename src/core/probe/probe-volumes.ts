import type { DiskFormats } from '../../disks/disk-format.ts';
import type { FileSystem, FileSystemInfo } from '../../filesystems/file-system.ts';
import { formatSize } from '../../lib/sizes.ts';
import { diskName } from '../../model/names.ts';
import { EXTENDED_TYPES } from '../inside/disk-volumes.ts';
import { type MachineVolume, mayHoldFiles } from '../inside/machine-volumes.ts';
import type { OpenedMachine } from '../inside/opened-machine.ts';
import { failureOf, type ProbeCheck } from './probe-report.ts';

/** A volume that was looked at; `system` is absent where its files cannot be read. */
export interface ProbedVolume {
  readonly volume: MachineVolume;
  readonly system?: FileSystem;
}

/** Less than this part of a volume free is worth a word. */
const LITTLE_FREE = 0.03;
const LOOKED_AT_NAMES = 1000;
/** Allocation units of a volume whose maps are gone through for what is free: 2 TiB in units of 4 KiB, 64 MiB of a map of bits. */
const MOST_UNITS = 2 ** 29;
const MOST_FREE_RANGES = 2_000_000;

/** Whether the partition table of a disk is whole, and its partitions lie on the disk and apart. */
export async function probePartitions(diskFormats: DiskFormats, machine: OpenedMachine, index: number): Promise<ProbeCheck> {
  const told = { name: 'partition table', place: `/${diskName(index)}` } as const;
  try {
    const disk = await machine.disk(index);
    const { scheme, partitions } = await diskFormats.partitions(disk);
    if (scheme === 'none') return { ...told, status: 'ok', detail: 'the disk has no partition table' };
    const outside = partitions.filter(({ offset, length }) => offset + length > disk.sizeBytes).map(({ index: number }) => `p${number}`);
    const apart = partitions.filter(({ type, length }) => !EXTENDED_TYPES.has(type) && length > 0).toSorted((a, b) => a.offset - b.offset);
    const overlapping = apart.flatMap(({ index: number, offset }, place) => {
      const before = apart[place - 1];
      return before && before.offset + before.length > offset ? [`p${before.index} and p${number}`] : [];
    });
    const damage = [
      ...(outside.length > 0 ? [`${outside.join(', ')} reach past the end of the disk`] : []),
      ...overlapping.map((pair) => `${pair} overlap`),
    ];
    const problems = await diskFormats.partitionProblems(disk);
    const status = damage.length > 0 ? 'failed' : problems.length > 0 ? 'warn' : 'ok';
    const count = `${scheme}, ${partitions.length} ${partitions.length === 1 ? 'partition' : 'partitions'}`;
    return { ...told, status, detail: [count, ...damage, ...problems].join('; ') };
  } catch (error) {
    return { ...told, ...failureOf(error) };
  }
}

/** Whether the file system of a volume opens, and what it says of itself. Of what holds no files nothing is told. */
export async function probeVolume(
  machine: OpenedMachine,
  volume: MachineVolume,
): Promise<{ readonly probed?: ProbedVolume; readonly checks: ProbeCheck[] }> {
  if (!mayHoldFiles(volume)) return { checks: [] };
  const told = { name: 'file system', place: volume.address } as const;
  try {
    const system = await machine.fileSystem(volume);
    await lookAtRoot(system);
    const { type, label, sizeBytes, notes } = system.info;
    const detail = [`${type}${label === undefined ? '' : ` "${label}"`}, ${formatSize(sizeBytes)}`, ...notes].join('; ');
    return {
      probed: { volume, system },
      checks: [{ ...told, status: 'ok', detail }, journalCheck(system.info, volume.address), ...(await freeCheck(system, volume.address))],
    };
  } catch (error) {
    return { probed: { volume }, checks: [{ ...told, ...failureOf(error) }] };
  }
}

async function lookAtRoot(system: FileSystem): Promise<void> {
  let looked = 0;
  for await (const entry of system.list(await system.root())) {
    await entry.node();
    looked += 1;
    if (looked >= LOOKED_AT_NAMES) return;
  }
}

const JOURNAL: Record<FileSystemInfo['journal'], string> = {
  none: 'the file system keeps none',
  clean: 'nothing is pending',
  replayed: 'changes were pending and are seen',
  dirty: 'changes may be pending that are not seen: the guest checks the volume when it starts',
};

function journalCheck({ journal }: FileSystemInfo, place: string): ProbeCheck {
  return { name: 'journal', place, status: journal === 'dirty' ? 'warn' : 'ok', detail: JOURNAL[journal] };
}

async function freeCheck(system: FileSystem, place: string): Promise<ProbeCheck[]> {
  const { sizeBytes } = system.info;
  const told = { name: 'free space', place } as const;
  let freeBytes: number | undefined;
  try {
    freeBytes = system.info.freeBytes ?? (await countFree(system));
  } catch (error) {
    return [{ ...told, ...failureOf(error) }];
  }
  if (freeBytes === undefined || sizeBytes === 0) return [];
  const status = freeBytes < LITTLE_FREE * sizeBytes ? 'warn' : 'ok';
  return [{ ...told, status, detail: `${formatSize(freeBytes)} of ${formatSize(sizeBytes)}` }];
}

/** Adds up what is free; `undefined` where the maps cannot be trusted, or are too large to go through. */
async function countFree(system: FileSystem): Promise<number | undefined> {
  const { info } = system;
  if (info.journal === 'dirty' || info.sizeBytes / info.clusterSize > MOST_UNITS) return undefined;
  let sum = 0;
  let ranges = 0;
  for await (const { length } of system.free()) {
    ranges += 1;
    if (ranges > MOST_FREE_RANGES) return undefined;
    sum += length;
  }
  return sum;
}
