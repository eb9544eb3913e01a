import type { Instant } from '../lib/clock.ts';

/** What retention looks at in a recovery point. */
export interface RetainedPoint {
  readonly id: string;
  readonly datasource: string;
  /** The guest's state; ages count from here. */
  readonly capturedAt: Instant;
  readonly held: boolean;
  readonly verified: boolean;
  /** How long its group keeps points; absent: no policy speaks about it, and it is kept. */
  readonly retentionMs?: number;
}

export interface RetentionSplit<P extends RetainedPoint> {
  readonly keep: readonly P[];
  readonly release: readonly P[];
}

/**
 * Splits points into those to keep and those that their policy releases. Held ones and the newest verified of each datasource are
 * always kept; where none is verified, the newest of all is.
 */
export function applyRetention<P extends RetainedPoint>(points: readonly P[], now: Instant): RetentionSplit<P> {
  const anchors = new Set([...Map.groupBy(points, (point) => point.datasource).values()].map((own) => anchorOf(own)?.id));
  const isKept = (point: P) => point.held || anchors.has(point.id) || now <= expiryOf(point);
  return { keep: points.filter(isKept), release: points.filter((point) => !isKept(point)) };
}

/** When the policy releases a point: it is kept until then, and no longer than the next prune after it. Infinity: never. */
export function expiryOf(point: Pick<RetainedPoint, 'capturedAt' | 'retentionMs'>): Instant {
  return point.retentionMs === undefined ? Number.POSITIVE_INFINITY : point.capturedAt + point.retentionMs;
}

/** The point of a datasource that no policy removes: the newest verified, else the newest. */
export function anchorOf<P extends RetainedPoint>(points: readonly P[]): P | undefined {
  // Of points that show the same state, the one that was made last stands for it.
  const newestFirst = points.toReversed().toSorted((a, b) => b.capturedAt - a.capturedAt);
  return newestFirst.find((point) => point.verified) ?? newestFirst[0];
}
