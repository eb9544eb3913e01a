import { z } from 'zod';
import type { CachedManifest } from '../catalogs/catalog.ts';
import { MabsError } from '../lib/errors.ts';
import { parseTime } from '../lib/times.ts';
import { isPointId, NameUnreadableError, type PointName, parsePointName, type VmName } from '../model/names.ts';
import { nearNames } from '../model/near-names.ts';
import { type LiveVm, listLiveVms, matchVm, NameAmbiguousError, VmUnknownError } from './inventory.ts';
import type { Ports } from './ports.ts';
import { openPools, throwIfUnavailable } from './vault.ts';
import { verifiedAt, verifiedRecords } from './verified.ts';

/** Somebody's wish that a point stays whatever the policy says. */
export const holdSchema = z.object({
  version: z.literal(1),
  reason: z.string(),
  owner: z.string(),
  at: z.string(),
  until: z.string().optional(),
  released: z.boolean().optional(),
});
export type Hold = z.infer<typeof holdSchema>;

const drillSchema = z.object({ at: z.string(), sha256: z.record(z.string(), z.string()).optional() });

/** A recovery point with what the records of its pool say of it. */
export interface KnownPoint extends CachedManifest {
  readonly poolName: string;
  readonly hold?: Hold;
  readonly verifiedAt?: string;
  readonly drilledAt?: string;
  /** SHA-256 of raw disks by disk name, where a full pass computed them. */
  readonly sha256?: Readonly<Record<string, string>>;
}

export class PointUnknownError extends MabsError {
  readonly code = 'MABS-POINT-UNKNOWN';
  readonly hint: string;
  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** All recovery points of the home's pools, by the time of the guest's state. */
export async function listKnownPoints(ports: Ports): Promise<KnownPoint[]> {
  await openPools(ports);
  const poolNames = new Map((await ports.home.listPools()).map(({ id, name }) => [id, name]));
  const holds = await holdsByPoint(ports);
  const verified = await verifiedRecords(ports);
  const drills = new Map((await ports.catalog.listRecords('drill')).map((record) => [record.owner, record.payload]));
  const points: KnownPoint[] = [];
  for (const cached of await ports.catalog.listManifests({ kind: 'point' })) {
    const poolName = poolNames.get(cached.poolId);
    if (poolName === undefined) continue;
    const { id } = cached.manifest;
    const hold = holds.get(id);
    const at = verifiedAt(cached.manifest, verified);
    const drill = drillSchema.safeParse(drills.get(id)).data;
    points.push({
      ...cached,
      poolName,
      ...(hold ? { hold } : {}),
      ...(at === undefined ? {} : { verifiedAt: at }),
      ...(drill ? { drilledAt: drill.at } : {}),
      ...(drill?.sha256 ? { sha256: drill.sha256 } : {}),
    });
  }
  return points;
}

/** The one point that a name means; MABS-POINT-UNKNOWN, MABS-VM-UNKNOWN, MABS-NAME-AMBIGUOUS. */
export async function getPoint(ports: Ports, text: string): Promise<{ readonly point: KnownPoint; readonly path?: string }> {
  const name = parsePointName(text);
  const all = await listKnownPoints(ports);
  const candidates = name.vm ? await pointsOfVm(ports, all, name.vm, vmPart(text)) : all;
  const point = pick(ports, candidates, name, text);
  return { point, ...(name.path === undefined ? {} : { path: name.path }) };
}

/** The point that a name means where a point is wanted as a whole: a name with a path, which would count for nothing, is refused. */
export async function getWholePoint(ports: Ports, text: string): Promise<KnownPoint> {
  const { path } = parsePointName(text);
  if (path !== undefined && path !== '/')
    throw new NameUnreadableError(text, 'a recovery point as a whole', `${text.slice(0, -path.length - 1)}, without a path`);
  return (await getPoint(ports, text)).point;
}

/**
 * The points of a VM: of the one that bears the name on its host now, or bore it when last captured. A VM that is gone from its
 * host, or whose host this home does not know, is found by its last name or its GUID all the same.
 */
export async function pointsOfVm(ports: Ports, points: readonly KnownPoint[], wanted: VmName, text: string): Promise<KnownPoint[]> {
  const newest = [...new Map(points.map((point) => [point.manifest.datasource, point])).values()];
  const live = await listLiveVms(ports, wanted.host).catch((): LiveVm[] => []);
  const alive = matchVm(live, wanted, ({ host, vm }) => ({ host, id: vm.id, name: vm.name }));
  const known = matchVm(newest, wanted, ({ manifest }) => ({ host: manifest.host, id: manifest.vm.id, name: manifest.vm.name }));
  const isOf = ({ manifest }: KnownPoint, other: LiveVm) => other.host === manifest.host && other.vm.id === manifest.vm.id;
  const byName = new Map<string, KnownPoint>();
  for (const point of newest) if (alive.some((other) => isOf(point, other))) byName.set(point.manifest.datasource, point);
  // Who lives under another name by now gives way to the one that bears the name.
  const isRenamed = (point: KnownPoint) => byName.size > 0 && live.some((other) => isOf(point, other));
  for (const point of known) if (!isRenamed(point)) byName.set(point.manifest.datasource, point);
  if (byName.size > 1) {
    throw new NameAmbiguousError(
      text,
      [...byName.values()].map(({ manifest }) => `${manifest.host}/{${manifest.vm.id}}`),
    );
  }
  const [found] = byName.keys();
  if (found !== undefined) return points.filter(({ manifest }) => manifest.datasource === found);
  throwIfUnavailable(await openPools(ports));
  if (alive[0]) {
    const vm = `${alive[0].host}/${alive[0].vm.name}`;
    throw new PointUnknownError(`${vm} has no recovery point`, `Make one: mabs checkpoint ${vm}`);
  }
  throw new VmUnknownError(text, [...newest.map(pointVm), ...live.map(({ host, vm }) => `${host}/${vm.name}`)]);
}

/** The VM of a point as reports name it. */
export function pointVm({ manifest }: Pick<KnownPoint, 'manifest'>): string {
  return `${manifest.host}/${manifest.vm.name}`;
}

function pick(ports: Ports, candidates: readonly KnownPoint[], { point: wanted }: PointName, text: string): KnownPoint {
  if (wanted === 'latest' && candidates.length > 0) return candidates.at(-1)!;
  if (isPointId(wanted)) return pickById(candidates, wanted.toLowerCase(), text);
  if (wanted === 'latest') throw new PointUnknownError(`there is no recovery point ${text}`, 'See `mabs point list`.');
  const instant = parseTime(wanted, ports.clock.now());
  const before = candidates.filter(({ manifest }) => Date.parse(manifest.capturedAt) <= instant);
  if (before.length > 0) return before.at(-1)!;
  const oldest = candidates[0];
  const hint = oldest ? `The oldest was captured at ${oldest.manifest.capturedAt}.` : 'See `mabs point list`.';
  throw new PointUnknownError(`there is no recovery point captured at or before ${wanted}`, hint);
}

function pickById(candidates: readonly KnownPoint[], wanted: string, text: string): KnownPoint {
  const matching = candidates.filter(({ manifest }) => manifest.id.toLowerCase().startsWith(wanted));
  const exact = matching.find(({ manifest }) => manifest.id.toLowerCase() === wanted);
  if (exact) return exact;
  if (matching.length === 1) return matching[0]!;
  const ids = (matching.length > 1 ? matching : candidates).map(({ manifest }) => manifest.id);
  const near = matching.length > 1 ? ids.slice(0, 3) : nearNames(wanted, ids);
  throw new PointUnknownError(
    matching.length > 1 ? `${matching.length} recovery points have an id that begins with ${wanted}` : `there is no recovery point ${text}`,
    near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'See `mabs point list` for the ids.',
  );
}

/** Holds in force now: given, not released, and not past their end. */
async function holdsByPoint({ catalog, clock }: Ports): Promise<Map<string, Hold>> {
  const holds = new Map<string, Hold>();
  for (const { owner, payload } of await catalog.listRecords('hold')) {
    const hold = holdSchema.safeParse(payload).data;
    if (!hold || hold.released || (hold.until !== undefined && Date.parse(hold.until) <= clock.now())) continue;
    holds.set(owner, hold);
  }
  return holds;
}

function vmPart(text: string): string {
  const at = text.lastIndexOf('@');
  return at < 0 ? text : text.slice(0, at);
}
