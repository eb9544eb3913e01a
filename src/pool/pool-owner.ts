import { z } from 'zod';
import { MabsError } from '../lib/errors.ts';
import type { PoolContext } from './pool-context.ts';
import type { PoolRecords } from './pool-records.ts';

const OWNER_OF_POOL = 'pool';
const ownerSchema = z.object({ home: z.string(), at: z.string() });

/** Makes the context's home the one that writes: the next owner record, written exclusively, so that of two homes one wins. */
export async function claimPool(pool: PoolContext, records: PoolRecords): Promise<void> {
  const current = (await records.allLatest('owner')).get(OWNER_OF_POOL);
  const highest = (await records.numbers('owner', OWNER_OF_POOL)).at(-1) ?? 0;
  const isOwn = current?.number === highest && ownerSchema.safeParse(current.payload).data?.home === pool.homeId;
  if (isOwn) return;
  const payload = { home: pool.homeId, at: new Date(pool.clock.now()).toISOString() };
  await records.putNumber('owner', OWNER_OF_POOL, highest + 1, payload);
}

/** Throws MABS-POOL-FENCED unless the context's home is the one that writes. Read anew before each manifest. */
export async function assertOwned(pool: PoolContext, records: PoolRecords): Promise<void> {
  const current = await records.latest('owner', OWNER_OF_POOL);
  if (ownerSchema.safeParse(current?.payload).data?.home !== pool.homeId) throw new FencedError();
}

export class FencedError extends MabsError {
  readonly code = 'MABS-POOL-FENCED';
  readonly hint = 'Another home has taken this pool over: work there, or take it back with `mabs pool import`.';
  constructor() {
    super('this home may no longer write to the pool');
  }
}
