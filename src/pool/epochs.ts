import { z } from 'zod';
import { type Lock, LockedError } from '../lib/locks.ts';
import { BlobExistsError } from '../stores/blob-store.ts';
import { putJson } from './json-object.ts';
import { ObjectKind } from './object-envelope.ts';
import type { PoolContext } from './pool-context.ts';

export const epochSchema = z.object({ version: z.literal(1), home: z.string() });

const MARKER = /^epochs\/([0-9a-f]{8})(-ended)?$/;
const markerName = (epoch: number) => `epochs/${epoch.toString(16).padStart(8, '0')}`;
const endedName = (epoch: number) => `${markerName(epoch)}-ended`;
const lockName = (pool: PoolContext, epoch: number) => `epoch-${pool.id}-${epoch}`;

/** What the markers in the pool say. */
export interface EpochListing {
  /** Begun and not ended, ascending: alive where their lock is held, else of a writer that died. */
  readonly open: readonly number[];
  readonly ended: readonly number[];
  readonly highest: number;
}

/**
 * An epoch: a number that only grows, held by one writer for its run. The lock is taken before the marker appears, so a marker
 * whose lock is free belongs to a writer that has died, or to another home that no longer owns the pool.
 */
export interface Epoch {
  readonly number: number;
  /** Gives the epoch up. `ended`: nothing of it is left to adopt. */
  release(ended: boolean): Promise<void>;
}

export async function listEpochs({ store }: PoolContext): Promise<EpochListing> {
  const begun = new Set<number>();
  const ended = new Set<number>();
  for await (const { name } of store.list('epochs/')) {
    const match = MARKER.exec(name);
    if (match) (match[2] ? ended : begun).add(Number.parseInt(match[1]!, 16));
  }
  const ascending = (epochs: Iterable<number>) => [...epochs].sort((a, b) => a - b);
  const open = ascending([...begun].filter((epoch) => !ended.has(epoch)));
  return { open, ended: ascending(ended), highest: Math.max(0, ...begun, ...ended) };
}

/** The epoch of a marker's name. */
export function epochOfMarker(name: string): number | undefined {
  const digits = MARKER.exec(name)?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 16);
}

/** Takes the next epoch. */
export async function beginEpoch(pool: PoolContext): Promise<Epoch> {
  for (let number = (await listEpochs(pool)).highest + 1; ; number += 1) {
    const lock = await tryLock(pool, number);
    if (!lock) continue;
    try {
      await putJson(pool, markerName(number), ObjectKind.epoch, { version: 1, home: pool.homeId });
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      if (error instanceof BlobExistsError) continue;
      throw error;
    }
    return {
      number,
      async release(ended) {
        try {
          if (ended) await endEpoch(pool, number);
        } finally {
          await lock[Symbol.asyncDispose]();
        }
      },
    };
  }
}

/** Open epochs whose writer lives. */
export async function livingEpochs(pool: PoolContext, { open }: EpochListing): Promise<number[]> {
  const living: number[] = [];
  for (const epoch of open) if (await pool.locks.isHeld(lockName(pool, epoch))) living.push(epoch);
  return living;
}

/** Says that nothing of an epoch is left to adopt, and removes the markers of older ones that say so. The highest stays: it counts. */
export async function endEpoch(pool: PoolContext, epoch: number): Promise<void> {
  try {
    await putJson(pool, endedName(epoch), ObjectKind.epoch, { version: 1, home: pool.homeId });
  } catch (error) {
    if (!(error instanceof BlobExistsError)) throw error;
  }
  const { ended, highest } = await listEpochs(pool);
  for (const old of ended) {
    if (old === highest) continue;
    // The begin goes first: an end without a begin is over, a begin without an end would look like a writer that died.
    await pool.store.remove(markerName(old));
    await pool.store.remove(endedName(old));
    await pool.locks.forget?.(lockName(pool, old));
  }
}

async function tryLock(pool: PoolContext, epoch: number): Promise<Lock | undefined> {
  try {
    return await pool.locks.acquire(lockName(pool, epoch), { what: `epoch ${epoch} of the pool`, waitMs: 0 });
  } catch (error) {
    if (error instanceof LockedError) return undefined;
    throw error;
  }
}
