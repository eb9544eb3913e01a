import type { FileType } from '../../filesystems/file-system.ts';
import { MabsError, throwIfAborted } from '../../lib/errors.ts';
import { parseTime } from '../../lib/times.ts';
import { parseVmName } from '../../model/names.ts';
import { type MachineVolume, mayHoldFiles } from '../inside/machine-volumes.ts';
import type { OpenedMachine } from '../inside/opened-machine.ts';
import { openPoint } from '../inside/opened-point.ts';
import { type KnownPoint, listKnownPoints, pointsOfVm, pointVm } from '../known-points.ts';
import type { Ports } from '../ports.ts';
import { openPools, throwIfUnavailable } from '../vault.ts';
import { ListingCache } from './listing-cache.ts';
import { namePattern } from './name-pattern.ts';
import { volumeIdentity, volumeKey } from './volume-identity.ts';
import { type ListingProblems, listVolume, type VolumeFile } from './volume-listing.ts';

export interface FindRequest {
  /** See `namePattern`. */
  readonly glob: string;
  /** Points of this VM alone. */
  readonly vm?: string;
  /** Points captured then or later, as people type times. */
  readonly since?: string;
  readonly signal?: AbortSignal;
  /** Which volume of which point is looked at. */
  readonly onStep?: (what: string) => void;
}

/** A path that matches, with what was found there over time. */
export interface FoundPath {
  readonly vm: string;
  /** With its volume: `/disk0/p2/Users/ada/notes.txt`. */
  readonly path: string;
  /** Oldest first. */
  readonly versions: readonly FileVersion[];
}

/** A file as one or several points have it. What differs in size, time or identity is another version. */
export interface FileVersion {
  readonly type: FileType;
  readonly size: number;
  readonly modified?: string;
  /** How many points have it, and the first and the last of them. */
  readonly points: number;
  readonly first: PointOfVersion;
  readonly last: PointOfVersion;
  /** What to name to `mabs recover` for it. */
  readonly source: string;
}

export interface PointOfVersion {
  readonly id: string;
  readonly capturedAt: string;
}

export interface FindReport {
  readonly files: readonly FoundPath[];
  /** How many points were looked at. */
  readonly points: number;
  /** Volumes that could not be read, and what else a person should know. */
  readonly notes: readonly string[];
}

/** More paths than a person looks at; what comes after them is counted as one note. */
const MOST_FILES = 100_000;

/**
 * Looks for names in recovery points, and tells which points hold which version of a file. A volume whose blocks did not change since
 * the point before is not read again, nor is one that was listed once before, by this command or an earlier one.
 */
export async function findFiles(ports: Ports, request: FindRequest): Promise<FindReport> {
  const matches = namePattern(request.glob);
  const points = await pointsToSearch(ports, request);
  const cache = new ListingCache(ports.home.path, ports.random);
  const search: Search = { ports, request, matches, cache, found: new Map(), notes: new Map(), full: false };
  for (const own of Map.groupBy(points, ({ manifest }) => manifest.datasource).values()) await searchVm(search, own);
  await cache.shrink(ports.clock.now());
  if (search.full) search.notes.set('full', `More than ${MOST_FILES} paths match: only the first are told. Narrow the pattern.`);
  const files = [...search.found.values()].sort((a, b) => compare(a.vm, b.vm) || compare(a.path, b.path));
  return { files, points: points.length, notes: [...search.notes.values()] };
}

interface Search {
  readonly ports: Ports;
  readonly request: FindRequest;
  readonly matches: ReturnType<typeof namePattern>;
  readonly cache: ListingCache;
  readonly found: Map<string, { vm: string; path: string; versions: MutableVersion[] }>;
  /** By what they are about: each is told once. */
  readonly notes: Map<string, string>;
  full: boolean;
}

type MutableVersion = { -readonly [Name in keyof FileVersion]: FileVersion[Name] } & { readonly key: string };

/** What of a volume matched at the point that was looked at last. */
interface Matched {
  readonly identity: string;
  readonly address: string;
  readonly files: readonly VolumeFile[];
}

async function pointsToSearch(ports: Ports, { vm, since }: FindRequest): Promise<KnownPoint[]> {
  const from = since === undefined ? Number.NEGATIVE_INFINITY : parseTime(since, ports.clock.now());
  const all = await listKnownPoints(ports);
  if (all.length === 0) throwIfUnavailable(await openPools(ports));
  const points = vm === undefined ? all : await pointsOfVm(ports, all, parseVmName(vm), vm);
  return points.filter(({ manifest }) => Date.parse(manifest.capturedAt) >= from);
}

/** The points of one VM, oldest first. */
async function searchVm(search: Search, points: readonly KnownPoint[]): Promise<void> {
  let before: { readonly roots: string; readonly volumes: ReadonlyMap<string, Matched> } | undefined;
  for (const point of points) {
    throwIfAborted(search.request.signal);
    const roots = JSON.stringify(point.manifest.disks.map(({ key, index, root, virtualSize }) => [key, index, root, virtualSize]));
    const volumes = before?.roots === roots ? before.volumes : await searchPoint(search, point, before?.volumes ?? new Map());
    for (const [key, matched] of volumes) for (const file of matched.files) tell(search, point, key, matched.address, file);
    before = { roots, volumes };
  }
}

async function searchPoint(search: Search, point: KnownPoint, before: ReadonlyMap<string, Matched>): Promise<Map<string, Matched>> {
  const found = new Map<string, Matched>();
  await using machine = openPoint(search.ports, point);
  for (const volume of await volumesOf(search, machine, point)) {
    throwIfAborted(search.request.signal);
    search.request.onStep?.(`${pointVm(point)} ${point.manifest.capturedAt} ${volume.address}`);
    const key = volumeKey(point, volume);
    const last = before.get(key);
    const matched = await searchVolume(search, machine, point, volume, last).catch((error) => {
      noteFailure(search, `${pointVm(point)}:${volume.address}`, error);
    });
    if (matched) found.set(key, matched);
  }
  return found;
}

async function volumesOf(search: Search, machine: OpenedMachine, point: KnownPoint): Promise<MachineVolume[]> {
  try {
    const volumes = await machine.volumes({ type: 'all' });
    return volumes.filter(mayHoldFiles);
  } catch (error) {
    noteFailure(search, `${pointVm(point)}@${point.manifest.id.slice(0, 8)}`, error);
    return [];
  }
}

async function searchVolume(
  search: Search,
  machine: OpenedMachine,
  point: KnownPoint,
  volume: MachineVolume,
  last: Matched | undefined,
): Promise<Matched> {
  const { ports, cache, request } = search;
  const pool = await ports.openPool(point.poolName);
  const identity = await volumeIdentity(pool, point, volume);
  const { address } = volume;
  if (last?.identity === identity) return last.address === address ? last : { ...last, address };
  const caseless = CASELESS.has(volume.fileSystem ?? '');
  const files: VolumeFile[] = [];
  const take = (file: VolumeFile) => {
    if (files.length < MOST_FILES && search.matches({ address, path: file.path, caseless })) files.push(file);
  };
  // Names of an encrypted pool are not written anywhere else in the clear.
  const mayKeep = !pool.info.encrypted;
  if (mayKeep && (await cache.read(identity, take))) return { identity, address, files };
  files.length = 0;
  const system = await machine.fileSystem(volume);
  const problems: ListingProblems = { count: 0 };
  const writer = mayKeep ? await cache.write(identity) : undefined;
  let whole = false;
  try {
    for await (const file of listVolume(system, problems, request.signal)) {
      take(file);
      await writer?.add(file);
    }
    whole = problems.count === 0;
  } finally {
    await writer?.close(whole);
  }
  if (problems.count > 0) {
    const where = `${pointVm(point)}:${address}`;
    search.notes.set(`${where} damaged`, `${where}: ${problems.count} names could not be read, the first: ${problems.first}`);
  }
  return { identity, address, files };
}

/** Windows' own; ext and XFS tell names apart by case. */
const CASELESS: ReadonlySet<string> = new Set(['ntfs', 'vfat', 'exfat']);

function noteFailure({ notes }: Search, where: string, error: unknown): void {
  if (!(error instanceof MabsError) || error.kind === 'interrupted') throw error;
  const message = error.message.replace(/^\/\S+?: /, '');
  notes.set(`${where} ${message}`, `${where} was not searched: ${message}`);
}

function tell(search: Search, point: KnownPoint, volume: string, address: string, file: VolumeFile): void {
  const { manifest } = point;
  const place = `${manifest.datasource}\0${volume}\0${file.path}`;
  let found = search.found.get(place);
  if (!found) {
    search.full ||= search.found.size >= MOST_FILES;
    if (search.full) return;
    found = { vm: pointVm(point), path: '', versions: [] };
    search.found.set(place, found);
  }
  // As it is called now, should the VM have been renamed or the disk moved.
  found.vm = pointVm(point);
  found.path = `${address}${file.path}`;
  const own = { id: manifest.id, capturedAt: manifest.capturedAt };
  const source = `${pointVm(point)}@${manifest.id}:${address}${file.path}`;
  const key = JSON.stringify([file.type, file.size, file.modified, file.id]);
  const known = found.versions.find((version) => version.key === key);
  if (known) Object.assign(known, { points: known.points + 1, last: own, source });
  else {
    const { type, size, modified } = file;
    const version = { type, size, ...(modified !== undefined && { modified }), points: 1, first: own, last: own, source };
    found.versions.push(Object.defineProperty(version, 'key', { value: key, enumerable: false }) as unknown as MutableVersion);
  }
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
