import { MabsError } from '../lib/errors.ts';
import { isoUtc, parseTime } from '../lib/times.ts';
import { UnreadableValueError } from '../lib/unreadable-value.ts';
import { getWholePoint, type Hold, type KnownPoint } from './known-points.ts';
import type { Ports } from './ports.ts';
import { trashPoints } from './trash.ts';
import { putRecord } from './vault.ts';

export class PointHeldError extends MabsError {
  readonly code = 'MABS-POINT-HELD';
  readonly hint: string;
  constructor(id: string, { reason, owner }: Hold) {
    super(`the recovery point ${id} is held by ${owner}: ${reason}`);
    this.hint = `End the hold first: mabs point release ${id}`;
  }
}

export interface HoldRequest {
  readonly point: string;
  readonly reason: string;
  /** Until when, as typed; absent: until it is released. */
  readonly until?: string;
  /** Who asks for it. */
  readonly owner: string;
}

/** Keeps a point whatever the policy says. */
export async function holdPoint(
  ports: Ports,
  { point: text, reason, until, owner }: HoldRequest,
): Promise<{ readonly id: string; readonly hold: Hold }> {
  const now = ports.clock.now();
  const end = until === undefined ? undefined : parseTime(until, now);
  if (end !== undefined && end <= now) throw new UnreadableValueError('a time to come', until!, isoUtc(now + 30 * 86_400_000));
  const point = await getWholePoint(ports, text);
  const hold: Hold = { version: 1, reason, owner, at: isoUtc(now), ...(end === undefined ? {} : { until: isoUtc(end) }) };
  await putRecord(ports, await ports.openPool(point.poolName), 'hold', point.manifest.id, hold);
  return { id: point.manifest.id, hold };
}

/** Ends the hold of a point; one that is not held stays as it is. */
export async function releasePoint(ports: Ports, text: string): Promise<{ readonly id: string; readonly released: boolean }> {
  const point = await getWholePoint(ports, text);
  const { id } = point.manifest;
  if (!point.hold) return { id, released: false };
  const ended: Hold = { ...point.hold, released: true, at: isoUtc(ports.clock.now()) };
  await putRecord(ports, await ports.openPool(point.poolName), 'hold', id, ended);
  return { id, released: true };
}

/** The point that is to be removed; one that is held is refused. Changes nothing. */
export async function planRemovePoint(ports: Ports, text: string): Promise<KnownPoint> {
  const point = await getWholePoint(ports, text);
  if (point.hold) throw new PointHeldError(point.manifest.id, point.hold);
  return point;
}

/** Moves a point to the trash; its space comes back when prune empties that. */
export async function applyRemovePoint(ports: Ports, point: KnownPoint): Promise<{ readonly id: string; readonly trashed: true }> {
  await trashPoints(ports, [point], 'removed by mabs point remove');
  return { id: point.manifest.id, trashed: true };
}
