import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { applyRetention, type RetainedPoint } from '../../src/model/retention.ts';

const DAY = 86_400_000;
const aPoint = (id: string, ageDays: number, more: Partial<RetainedPoint> = {}): RetainedPoint => ({
  id,
  datasource: 'd',
  capturedAt: 1000 * DAY - ageDays * DAY,
  held: false,
  verified: true,
  retentionMs: 10 * DAY,
  ...more,
});
const released = (points: RetainedPoint[]) => applyRetention(points, 1000 * DAY).release.map((point) => point.id);

describe('retention', () => {
  it('releases points older than the policy, by the time of the guest’s state', () => {
    expect(released([aPoint('old', 11), aPoint('edge', 10), aPoint('new', 1)])).toEqual(['old']);
  });

  it('never releases a held point', () => {
    expect(released([aPoint('held', 50, { held: true }), aPoint('new', 1)])).toEqual([]);
  });

  it('never releases the newest verified point of a datasource, however old it is', () => {
    const points = [aPoint('a', 50), aPoint('b', 40), aPoint('c', 30, { verified: false }), aPoint('other', 60, { datasource: 'e' })];
    expect(released(points)).toEqual(['a', 'c']);
  });

  it('keeps the newest where none is verified', () => {
    expect(released([aPoint('a', 50, { verified: false }), aPoint('b', 40, { verified: false })])).toEqual(['a']);
  });

  it('keeps what no policy speaks about', () => {
    const { retentionMs: _, ...unspoken } = aPoint('kept', 500);
    expect(released([unspoken, aPoint('new', 1)])).toEqual([]);
  });

  it('agrees with a second, plain implementation', () =>
    fc.assert(
      fc.property(
        fc.array(fc.record({ age: fc.integer({ min: 0, max: 30 }), held: fc.boolean(), verified: fc.boolean(), own: fc.boolean() })),
        (rows) => {
          const points = rows.map((row, index) =>
            aPoint(String(index), row.age + index / 1000, { ...row, datasource: row.own ? 'd' : 'e' }),
          );
          const plain = points.filter((point) => {
            if (point.held || 1000 * DAY - point.capturedAt <= 10 * DAY) return false;
            const peers = points.filter((other) => other.datasource === point.datasource);
            const candidates = peers.some((other) => other.verified) ? peers.filter((other) => other.verified) : peers;
            return candidates.some((other) => other.capturedAt > point.capturedAt) || !candidates.includes(point);
          });
          expect(released(points)).toEqual(plain.map((point) => point.id));
        },
      ),
    ));
});
