import type { Clock } from '../lib/clock.ts';
import type { Locks } from '../lib/locks.ts';
import type { Random } from '../lib/random.ts';
import type { BlobStore } from '../stores/blob-store.ts';
import type { PoolKeys } from './block.ts';

/** What the parts of an opened pool share. */
export interface PoolContext {
  readonly store: BlobStore;
  readonly poolId: Uint8Array;
  /** The same as 32 hex digits: in names of locks. */
  readonly id: string;
  readonly keys: PoolKeys | undefined;
  readonly random: Random;
  readonly clock: Clock;
  readonly locks: Locks;
  /** The home that opened the pool. */
  readonly homeId: string;
}

/** How long short locks are waited for: they are held for the time of a few small writes. */
const SHORT_LOCK_MS = 60_000;

export type ShortLock = 'commit' | 'index' | 'adopt';

/** Runs with one of the pool's short locks held. */
export async function withPoolLock<T>(pool: PoolContext, which: ShortLock, run: () => Promise<T>): Promise<T> {
  await using _lock = await pool.locks.acquire(`pool-${pool.id}-${which}`, { what: `the pool's ${which} lock`, waitMs: SHORT_LOCK_MS });
  return await run();
}
