import { describe, expect, it } from '@jest/globals';
import { createMemoryLocks } from '../../src/lib/memory-locks.ts';
import { openPool } from '../../src/pool/open-pool.ts';
import { PoolFullError } from '../../src/stores/blob-store.ts';
import { FaultyStore } from '../builders/faulty-store.ts';
import { someBytes } from '../builders/pool-blocks.ts';
import { aPool, BLOCK, commitPoint, objectNames, restored } from '../builders/pools.ts';

const one = someBytes('one', 3 * BLOCK);
const two = someBytes('two', 3 * BLOCK);

describe('a run that adds a point', () => {
  it('is whole or absent, whichever operation it died at, and the next one needs no repair', async () => {
    let absent = 0;
    for (let stopAt = 1; ; stopAt += 1) {
      const { pool, store, access, reopen } = await aPool();
      const first = await commitPoint(pool, one);
      const dying = await openPool(new FaultyStore(store, { stopAt }), { ...access, locks: createMemoryLocks() });
      const reported = await commitPoint(dying, two).then(
        (point) => point,
        () => undefined,
      );
      const next = await reopen({ locks: createMemoryLocks() });
      const listed = await next.listManifests({ strict: true });
      if (reported) expect(listed).toEqual([first, reported]);
      if (listed.length === 1) absent += 1;
      for (const point of listed) expect((await restored(next, point)).equals(point.seq === 1 ? one : two)).toBe(true);
      const third = await commitPoint(next, two);
      expect(third.seq).toBe(listed.length + 1);
      expect((await restored(next, third)).equals(two)).toBe(true);
      expect(await next.check({ depth: 'all' })).toMatchObject({ status: 'ok', damage: [] });
      expect(await store.removeTemporary('', () => false)).toBe(0);
      if (reported) break;
    }
    expect(absent).toBeGreaterThan(5);
  });

  it('says that the volume is full, wherever it is, and goes on once there is room', async () => {
    for (let stopAt = 1; ; stopAt += 1) {
      const { pool, store, access, reopen } = await aPool();
      const first = await commitPoint(pool, one);
      const faulty = new FaultyStore(store, { stopAt, error: () => new PoolFullError('the volume') });
      const full = await openPool(faulty, { ...access, locks: createMemoryLocks() });
      const outcome = await commitPoint(full, two).catch((error) => error);
      const next = await reopen({ locks: createMemoryLocks() });
      if (!(outcome instanceof Error)) break;
      expect(outcome).toMatchObject({ code: 'MABS-POOL-FULL', kind: 'space' });
      expect((await restored(next, first)).equals(one)).toBe(true);
      expect((await restored(next, await commitPoint(next, two))).equals(two)).toBe(true);
    }
  });

  it('leaves the packs that are durable to the next one, which sends nothing twice', async () => {
    const { pool, store, access, reopen } = await aPool();
    await commitPoint(pool, one);
    const faulty = new FaultyStore(store, { stopAt: Number.MAX_SAFE_INTEGER });
    const dying = await openPool(faulty, { ...access, locks: createMemoryLocks() });
    const writer = await dying.beginWrite();
    const { storeDisk } = await import('../builders/pools.ts');
    await storeDisk(writer, two);
    const packs = await objectNames(store, 'packs/');
    const next = await reopen({ locks: createMemoryLocks() });
    await commitPoint(next, two);
    expect(await objectNames(store, 'packs/')).toEqual(packs);
  });
});
