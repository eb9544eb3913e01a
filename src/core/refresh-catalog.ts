import type { CachedRecord, Catalog } from '../catalogs/catalog.ts';
import type { Pool, RecordKind } from '../pool/pool.ts';

/** Kinds of records that the catalog keeps a copy of. */
const CACHED_KINDS: readonly RecordKind[] = ['group', 'hold', 'verified', 'drill', 'base', 'trash'];

/** Kinds whose records say what people want and are only ever replaced: a lower number than is known means that one was lost. */
const NEVER_REMOVED: readonly RecordKind[] = ['group', 'hold'];

/** What this home has seen in a pool and the pool no longer has, though nobody removed it. */
export interface LostObjects {
  /** Numbers of manifests, ascending. */
  readonly manifests: readonly number[];
  readonly records: readonly Pick<CachedRecord, 'kind' | 'owner' | 'number'>[];
}

/**
 * Brings the catalog's cache of a pool up to date from the pool itself: manifests that it does not know, those that are gone, and
 * the records. So what was committed just before a crash shows up, and a lost catalog heals by itself. `rebuild`: nothing that it
 * knows is believed. What is lost stays known, and is answered.
 */
export async function refreshCatalog(catalog: Catalog, pool: Pool, { rebuild = false } = {}): Promise<LostObjects> {
  const manifests = await refreshManifests(catalog, pool, { rebuild });
  const records: CachedRecord[] = [];
  for (const kind of CACHED_KINDS) records.push(...(await refreshRecords(catalog, pool, kind, { rebuild })));
  return { manifests, records };
}

/** The records of one kind alone. Answers those that are lost; what they said still holds. */
export async function refreshRecords(catalog: Catalog, pool: Pool, kind: RecordKind, { rebuild = false } = {}): Promise<CachedRecord[]> {
  const poolId = pool.info.id;
  // Before the pool is looked at: whatever is known by now is there.
  const known = rebuild || !NEVER_REMOVED.includes(kind) ? [] : await catalog.listRecords(kind, poolId);
  const found = await pool.latestRecords(kind);
  const lost = known.filter(({ owner, number }) => number > (found.get(owner)?.number ?? 0));
  const gone = new Set(lost.map(({ owner }) => owner));
  const records = [...found.values()].filter(({ owner }) => !gone.has(owner));
  await catalog.replaceRecords(poolId, kind, [
    ...records.map(({ owner, number, payload }) => ({ poolId, kind, owner, number, payload })),
    ...lost,
  ]);
  return lost;
}

/**
 * The manifests alone: what another process committed or removed since. Manifests that are known here and that nobody removed, but
 * that the pool no longer has, are lost: they stay known, so that they are missed, and their numbers are answered.
 */
export async function refreshManifests(catalog: Catalog, pool: Pool, { rebuild = false } = {}): Promise<readonly number[]> {
  const poolId = pool.info.id;
  // Before the pool is looked at: whatever is known by now is there.
  const known = await catalog.knownSeqs(poolId);
  const { live, isExplained } = await pool.listRoll();
  const alive = new Set(live);
  const absent = [...known].filter((seq) => !alive.has(seq));
  const gone = absent.filter((seq) => rebuild || isExplained(seq));
  if (gone.length > 0) await catalog.removeManifests(poolId, gone);
  const missing = new Set([...alive].filter((seq) => rebuild || !known.has(seq)));
  if (missing.size > 0) {
    const first = [...missing].reduce((lowest, seq) => Math.min(lowest, seq));
    const found = await pool.listManifests({ afterSeq: first - 1 });
    await catalog.addManifests(
      poolId,
      found.filter(({ seq }) => missing.has(seq)),
    );
  }
  return rebuild ? [] : absent.filter((seq) => !isExplained(seq)).sort((a, b) => a - b);
}
