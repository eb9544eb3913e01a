import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { guestSteps } from '../../builders/guest-disk.ts';
import { type HistoryStep, playHistory } from '../../builders/left-out-history.ts';
import { aPool } from '../../builders/pools.ts';

const aNumber = fc.nat({ max: 1_000_000 });
const aStep: fc.Arbitrary<HistoryStep> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constantFrom(...guestSteps), a: aNumber, b: aNumber, c: aNumber }) },
  { weight: 4, arbitrary: fc.constant<HistoryStep>({ kind: 'sync', how: 'tracked' }) },
  { weight: 2, arbitrary: fc.constantFrom('scan', 'check', 'interrupted').map((how): HistoryStep => ({ kind: 'sync', how })) },
  {
    weight: 1,
    arbitrary: fc.subarray(['pagefile', 'free'] as const).map((leaveOut): HistoryStep => ({ kind: 'policy', leaveOut: [...leaveOut] })),
  },
);

describe('a disk of which page files, swap and free clusters are left out', () => {
  it('restores in every other byte, whatever clusters change their owner without being written', async () => {
    let syncs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(aStep, { minLength: 20, maxLength: 60 }), async (steps) => {
        const pool = await aPool();
        await using _ = pool.pool;
        ({ syncs } = await playHistory(pool, [...steps, { kind: 'sync', how: 'tracked' }]));
      }),
      { numRuns: 8 },
    );
    expect(syncs).toBeGreaterThan(0);
  });
});
