import type { Catalog } from '../catalogs/catalog.ts';
import type { Pool, RecordKind } from '../pool/pool.ts';

/** Kinds of records that the catalog keeps a copy of. */
const CACHED_KINDS: readonly RecordKind[] = ['group', 'hold', 'verified', 'drill', 'base', 'trash'];

/**
 * Brings the catalog's cache of a pool up to date from the pool itself: manifests that it does not know, those that are gone, and
 * the records. So what was committed just before a crash shows up, and a lost catalog heals by itself. `rebuild`: nothing that it
 * knows is believed.
 */
export async function refreshCatalog(catalog: Catalog, pool: Pool, { rebuild = false } = {}): Promise<void> {
  await refreshManifests(catalog, pool, { rebuild });
  for (const kind of CACHED_KINDS) await refreshRecords(catalog, pool, kind);
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

/** The manifests alone: what another process committed or removed since. */
export async function refreshManifests(catalog: Catalog, pool: Pool, { rebuild = false } = {}): Promise<void> {
  const poolId = pool.info.id;
  const known = await catalog.knownSeqs(poolId);
  const live = new Set(await pool.listSeqs());
  const gone = [...known].filter((seq) => !live.has(seq));
  if (gone.length > 0) await catalog.removeManifests(poolId, gone);
  const missing = new Set([...live].filter((seq) => rebuild || !known.has(seq)));
  if (missing.size === 0) return;
  let first = Number.POSITIVE_INFINITY;
  for (const seq of missing) first = Math.min(first, seq);
  const found = await pool.listManifests({ afterSeq: first - 1 });
  await catalog.addManifests(
    poolId,
    found.filter(({ seq }) => missing.has(seq)),
  );
}
