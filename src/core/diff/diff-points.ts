import { MabsError } from '../../lib/errors.ts';
import type { Pool } from '../../pool/pool.ts';
import { volumeIdentity } from '../find/volume-identity.ts';
import { type MachineVolume, mayHoldFiles } from '../inside/machine-volumes.ts';
import type { OpenedMachine } from '../inside/opened-machine.ts';
import { openPoint } from '../inside/opened-point.ts';
import { getWholePoint, type KnownPoint, pointVm } from '../known-points.ts';
import type { Ports } from '../ports.ts';
import { type DiskDifference, type DiskPair, diffDisks, pairDisks } from './diff-disks.ts';
import { type DiffProblems, diffFiles, type FoundDifference } from './diff-files.ts';
import { joinRenames, type PointFileDifference } from './renamed-files.ts';

export interface DiffRequest {
  /** As `getWholePoint` reads them; the earlier first, as a rule. */
  readonly before: string;
  readonly after: string;
  readonly signal?: AbortSignal;
  /** Which disk or volume is compared. */
  readonly onStep?: (what: string) => void;
}

export interface DiffReport {
  readonly before: DiffPoint;
  readonly after: DiffPoint;
  readonly disks: readonly DiskDifference[];
  readonly volumes: readonly VolumeDifference[];
  /** Over all volumes and disks. */
  readonly totals: DiffTotals;
  /** What could not be compared. */
  readonly notes: readonly string[];
}

export interface DiffPoint {
  readonly id: string;
  readonly vm: string;
  readonly capturedAt: string;
}

export interface VolumeDifference {
  /** As the later point calls it, or the earlier one where only that has it. */
  readonly volume: string;
  readonly fileSystem: string | null;
  /** `equal`: its blocks are the same, so nothing was read. `unread`: mabs reads no files there; see the notes. */
  readonly change: 'equal' | 'compared' | 'added' | 'removed' | 'unread';
  /** At most 500,000; the totals count all. */
  readonly files: readonly PointFileDifference[];
}

export interface DiffTotals {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  readonly renamed: number;
  readonly blocksChanged: number;
  readonly bytesChanged: number;
}

/** More differences than these are counted and not told. */
const MOST_FILES = 500_000;

/**
 * What differs between two recovery points, of one VM or of two: blocks by disk maps alone, files by walking the volumes whose blocks
 * differ. Disks are the same where their identity is, whatever their place.
 */
export async function diffPoints(ports: Ports, request: DiffRequest): Promise<DiffReport> {
  const before = await getWholePoint(ports, request.before);
  const after = await getWholePoint(ports, request.after);
  const notes: string[] = [];
  const pool = before.poolName === after.poolName ? await ports.openPool(after.poolName) : undefined;
  if (!pool) notes.push(`The points lie in two pools (${before.poolName}, ${after.poolName}): their blocks were not compared.`);
  const pairs = pairDisks(before, after);
  const disks: DiskDifference[] = [];
  for (const pair of pairs) {
    const disk = await diffDisks(pool, pair, request.signal);
    request.onStep?.(disk.disk);
    disks.push(disk);
  }
  const counts = { added: 0, removed: 0, changed: 0, renamed: 0 };
  const volumes = await diffVolumes({ ports, request, before, after, pool, pairs, notes, counts });
  const sum = (pick: (disk: DiskDifference) => number | undefined) => disks.reduce((total, disk) => total + (pick(disk) ?? 0), 0);
  return {
    before: pointOf(before),
    after: pointOf(after),
    disks,
    volumes,
    totals: { ...counts, blocksChanged: sum((disk) => disk.blocksChanged), bytesChanged: sum((disk) => disk.bytesChanged) },
    notes,
  };
}

interface Comparison {
  readonly ports: Ports;
  readonly request: DiffRequest;
  readonly before: KnownPoint;
  readonly after: KnownPoint;
  readonly pool: Pool | undefined;
  readonly pairs: readonly DiskPair[];
  readonly notes: string[];
  readonly counts: Record<PointFileDifference['change'], number>;
}

interface Side {
  readonly point: KnownPoint;
  readonly machine: OpenedMachine;
  readonly volume: MachineVolume;
}

async function diffVolumes(comparison: Comparison): Promise<VolumeDifference[]> {
  const { ports, before, after, pairs } = comparison;
  await using oldMachine = openPoint(ports, before);
  await using newMachine = openPoint(ports, after);
  const old = await volumesByPlace(oldMachine, before, pairs);
  const now = await volumesByPlace(newMachine, after, pairs);
  const found: VolumeDifference[] = [];
  for (const [place, side] of now) found.push(await diffVolume(comparison, old.get(place), side));
  for (const [place, side] of old) if (!now.has(place)) found.push(await diffVolume(comparison, side, undefined));
  return found;
}

/** The volumes that may hold files, by what pairs them: the pair of their disk and their number, or their names. */
async function volumesByPlace(machine: OpenedMachine, point: KnownPoint, pairs: readonly DiskPair[]): Promise<Map<string, Side>> {
  const volumes = await machine.volumes({ type: 'all' });
  const placeOf = (volume: MachineVolume) => {
    if (volume.address.startsWith('/lv/')) return volume.address;
    const disk = point.manifest.disks[volume.place({ offset: 0, length: 1 })[0]?.disk ?? -1];
    const pair = pairs.findIndex(({ before, after }) => before === disk || after === disk);
    return `${pair}${volume.address.slice(volume.address.lastIndexOf('/'))}`;
  };
  const own = volumes.filter(({ fileSystem, unreadable }) => fileSystem !== null || unreadable !== undefined);
  return new Map(own.map((volume) => [placeOf(volume), { point, machine, volume }]));
}

async function diffVolume(comparison: Comparison, old: Side | undefined, now: Side | undefined): Promise<VolumeDifference> {
  const { volume } = (now ?? old)!;
  const told = { volume: volume.address, fileSystem: volume.fileSystem };
  comparison.request.onStep?.(volume.address);
  try {
    if (!old || !now) return { ...told, change: now ? 'added' : 'removed', files: [] };
    if (await isEqual(comparison, old, now)) return { ...told, change: 'equal', files: [] };
    if (!mayHoldFiles(volume)) return { ...told, change: 'unread', files: [] };
    return { ...told, change: 'compared', files: await filesOf(comparison, old, now) };
  } catch (error) {
    if (!(error instanceof MabsError) || error.kind === 'interrupted') throw error;
    comparison.notes.push(`The files of ${volume.address} were not compared: ${error.message}`);
    return { ...told, change: 'unread', files: [] };
  }
}

async function isEqual({ pool }: Comparison, old: Side, now: Side): Promise<boolean> {
  if (!pool) return false;
  return (await volumeIdentity(pool, old.point, old.volume)) === (await volumeIdentity(pool, now.point, now.volume));
}

async function filesOf(comparison: Comparison, old: Side, now: Side): Promise<PointFileDifference[]> {
  const { counts, notes, request } = comparison;
  const problems: DiffProblems = { count: 0 };
  const found: FoundDifference[] = [];
  let more = 0;
  const systems = [await old.machine.fileSystem(old.volume), await now.machine.fileSystem(now.volume)] as const;
  for await (const entry of diffFiles(...systems, problems, request.signal)) {
    if (found.length < MOST_FILES) found.push(entry);
    else {
      more += 1;
      counts[entry.difference.change] += 1;
    }
  }
  const { address } = now.volume;
  if (more > 0) notes.push(`${address} has ${more} more differences, which are counted and not told.`);
  if (problems.count > 0) notes.push(`${address}: ${problems.count} names could not be compared, the first: ${problems.first}`);
  const files = joinRenames(found);
  for (const { change } of files) counts[change] += 1;
  return files;
}

function pointOf(point: KnownPoint): DiffPoint {
  return { id: point.manifest.id, vm: pointVm(point), capturedAt: point.manifest.capturedAt };
}
