import { z } from 'zod';
import { MabsError } from '../lib/errors.ts';
import type { Manifest } from '../model/manifest.ts';
import type { SegmentedIndex } from './block-index.ts';
import { CondemnedBlocks, encodeCondemned } from './condemned-blocks.ts';
import { type CondemnedList, condemnedName, listCondemned, putCondemned } from './condemned-lists.ts';
import { beginEpoch, type Epoch, listEpochs, livingEpochs } from './epochs.ts';
import { markReached } from './mark.ts';
import { countPacks, type MayGo, planOf } from './pack-census.ts';
import { createPackReader } from './pack-reader.ts';
import type { EngineOptions, SweepPlan } from './pool.ts';
import { withPoolLock } from './pool-context.ts';
import { assertOwned } from './pool-owner.ts';
import { adoptDeadEpochs, type WriterParts } from './pool-writer.ts';
import { finishRemovals, removePacks, rewritePacks } from './remove-packs.ts';

const NOTHING: SweepPlan = { deadBlocks: 0, deadBytes: 0, packsToRemove: [], packsToRewrite: [], bytesFreed: 0 };

/** `after`: the highest epoch when the list had become durable; writers up to it may have re-used what is condemned. */
const boundSchema = z.object({ after: z.number().int().nonnegative() });
const ownerOf = (list: number) => String(list);

/** What a sweep would free if nothing else were at work and `without` were purged. Changes nothing. */
export async function planSweep(
  parts: WriterParts,
  options: EngineOptions & { readonly without?: readonly number[] } = {},
): Promise<SweepPlan> {
  const without = new Set(options.without ?? []);
  return planOf((await census(parts, without, () => true, options)).packs);
}

/**
 * Gives back the space of blocks that neither live manifests nor the trash reach. A mark writes down what it condemns; writers that
 * begin afterwards re-use nothing of it; once every writer that began before has ended, a second mark finds what is still unreached,
 * and only that goes. Where older writers live the list stays for the next sweep. Each step may be cut short by a crash.
 */
export async function sweep(parts: WriterParts, waitMs: number, options: EngineOptions): Promise<SweepPlan> {
  const { pool, records, roll } = parts;
  await using _lock = await pool.locks.acquire(`pool-${pool.id}-sweep`, { what: 'the sweep of the pool', waitMs });
  await assertOwned(pool, records);
  await roll.listComplete();
  await withPoolLock(pool, 'commit', () => roll.removePurged());
  await adoptDeadEpochs(parts);
  await finishRemovals(parts);
  await pool.store.removeTemporary('condemned/', () => false);
  const epoch = await beginEpoch(pool);
  let ended = false;
  try {
    const report = await sweepInEpoch(parts, epoch, options);
    ended = true;
    return report;
  } finally {
    await epoch.release(ended);
  }
}

async function sweepInEpoch(parts: WriterParts, epoch: Epoch, options: EngineOptions): Promise<SweepPlan> {
  let total = NOTHING;
  for (const list of await listCondemned(parts.pool)) {
    if (list.blocks === CondemnedBlocks.everything) {
      // Damaged: what it condemned is condemned again below, if it is still unreached.
      await endList(parts, list.number);
      continue;
    }
    const freed = await sweepList(parts, epoch, list, options);
    if (!freed) return total;
    total = added(total, freed);
  }
  const list = await condemn(parts, epoch, options);
  const freed = list && (await sweepList(parts, epoch, list, options));
  return freed ? added(total, freed) : total;
}

/** The first mark: writes down what nothing reaches. Undefined when everything is reached. */
async function condemn(parts: WriterParts, epoch: Epoch, options: EngineOptions): Promise<CondemnedList | undefined> {
  const { packs } = await census(parts, new Set(), () => true, options);
  const dead = [...packs.values()].map(({ packKey, deadOrdinals }) => ({ packKey, ordinals: deadOrdinals }));
  if (dead.every(({ ordinals }) => ordinals.length === 0)) return undefined;
  await putCondemned(parts.pool, epoch.number, encodeCondemned(dead));
  return (await listCondemned(parts.pool)).find(({ number }) => number === epoch.number);
}

/** Frees what a list condemned and is still unreached; undefined while a writer lives that may have re-used some of it. */
async function sweepList(parts: WriterParts, epoch: Epoch, list: CondemnedList, options: EngineOptions): Promise<SweepPlan | undefined> {
  const { pool, records } = parts;
  const after = await boundOf(parts, list.number);
  const living = await livingEpochs(pool, await listEpochs(pool));
  if (living.some((number) => number <= after && number !== epoch.number)) return undefined;
  const { packs } = await census(parts, new Set(), (packKey, ordinal) => list.blocks.has(packKey, ordinal), options);
  const plan = planOf(packs);
  await assertOwned(pool, records);
  // What is wholly dead goes first: on a full volume that makes the room which moving live blocks takes.
  await removePacks(parts, list.number, plan.packsToRemove);
  await rewritePacks(
    parts,
    epoch,
    list.number,
    plan.packsToRewrite.map((name) => packs.get(name)!),
  );
  await endList(parts, list.number);
  return plan;
}

async function endList({ pool, records }: WriterParts, list: number): Promise<void> {
  await pool.store.remove(condemnedName(list));
  await records.removeAll('condemned', ownerOf(list));
}

/**
 * Up to which epoch writers may have re-used what the list condemns: written once the list is durable. Where that cannot be read, all
 * writers of now count.
 */
async function boundOf({ pool, records }: WriterParts, list: number): Promise<number> {
  const isWritten = (await records.numbers('condemned', ownerOf(list))).includes(1);
  const known = isWritten ? await readBound(records, list) : undefined;
  if (known !== undefined) return known;
  const after = (await listEpochs(pool)).highest;
  if (!isWritten) await records.putNumber('condemned', ownerOf(list), 1, { after });
  return after;
}

async function readBound(records: WriterParts['records'], list: number): Promise<number | undefined> {
  try {
    return boundSchema.safeParse(await records.read('condemned', ownerOf(list), 1)).data?.after;
  } catch (error) {
    if (error instanceof MabsError && error.kind === 'damaged') return undefined;
    throw error;
  }
}

/** Marks from every manifest that is not purged, and counts by pack what may go. */
async function census(parts: WriterParts, without: ReadonlySet<number>, mayGo: MayGo, options: EngineOptions) {
  const { pool, roll, index } = parts;
  // Before the index is opened, so that it has whatever these manifests need.
  const manifests: Manifest[] = [];
  for (const seq of (await roll.listComplete()).present) if (!without.has(seq)) manifests.push(await roll.get(seq));
  await using opened = await index.open();
  await checkPacksPresent(parts, opened);
  await using reader = createPackReader(pool.store, pool.poolId, pool.keys);
  const mark = await markReached(opened, reader, manifests, options);
  return { packs: await countPacks(mark, mayGo) };
}

/** A listing that lacks packs which the index names may be that of a volume which is not all there: nothing is concluded from it. */
async function checkPacksPresent({ pool }: WriterParts, index: SegmentedIndex): Promise<void> {
  const present = new Set<string>();
  for await (const { name } of pool.store.list('packs/')) present.add(name);
  const missing = new Set<string>();
  for (const segment of index.segments) {
    for (const name of segment.packNames()) if (!present.has(name)) missing.add(name);
  }
  if (missing.size > 0) throw new PacksMissingError([...missing]);
}

function added(a: SweepPlan, b: SweepPlan): SweepPlan {
  return {
    deadBlocks: a.deadBlocks + b.deadBlocks,
    deadBytes: a.deadBytes + b.deadBytes,
    packsToRemove: [...a.packsToRemove, ...b.packsToRemove],
    packsToRewrite: [...a.packsToRewrite, ...b.packsToRewrite],
    bytesFreed: a.bytesFreed + b.bytesFreed,
  };
}

export class PacksMissingError extends MabsError {
  readonly code = 'MABS-POOL-PACKS-MISSING';
  readonly hint = 'Is the whole volume there? Run `mabs pool check`; nothing is freed while packs are missing.';
  override readonly kind = 'damaged';
  readonly files: readonly string[];
  constructor(files: readonly string[]) {
    super(`${files.length} packs that the index names are missing, ${files[0]} among them`);
    this.files = files;
  }
}
