import type { Catalog } from '../catalogs/catalog.ts';
import type { Pool, RecordKind } from '../pool/pool.ts';

/** Kinds of records that the catalog keeps a copy of. */
const CACHED_KINDS: readonly RecordKind[] = ['group', 'hold', 'verified', 'drill', 'base', 'trash'];

/**
 * Brings the catalog's cache of a pool up to date from the pool itself: manifests that it does not know, those that are gone, and
 * the records. So what was committed just before a crash shows up, and a lost catalog heals by itself. `rebuild`: nothing that it
 * knows is believed. Answers the numbers of lost manifests, as `refreshManifests` does.
 */
export async function refreshCatalog(catalog: Catalog, pool: Pool, { rebuild = false } = {}): Promise<readonly number[]> {
  const lost = await refreshManifests(catalog, pool, { rebuild });
  for (const kind of CACHED_KINDS) await refreshRecords(catalog, pool, kind);
  return lost;
}

/** The records of one kind alone. */
export async function refreshRecords(catalog: Catalog, pool: Pool, kind: RecordKind): Promise<void> {
  const poolId = pool.info.id;
  const records = [...(await pool.latestRecords(kind)).values()];
  await catalog.replaceRecords(
    poolId,
    kind,
    records.map(({ owner, number, payload }) => ({ poolId, kind, owner, number, payload })),
  );
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
