import type { CachedManifest, CachedRecord } from '../catalogs/catalog.ts';
import type { Pool, PoolRecord, RecordKind } from '../pool/pool.ts';
import type { Ports } from './ports.ts';

/** A pool of the home, opened. */
export interface OpenedPool {
  readonly name: string;
  readonly pool: Pool;
}

/** All pools of the home that can be opened now, and why the others cannot. */
export interface OpenedPools {
  readonly opened: readonly OpenedPool[];
  readonly unavailable: readonly { readonly name: string; readonly error: unknown }[];
}

/** Opens every pool of the home. One whose volume is away does not hide what the others hold. */
export async function openPools(ports: Ports): Promise<OpenedPools> {
  const opened: OpenedPool[] = [];
  const unavailable: { name: string; error: unknown }[] = [];
  for (const { name } of await ports.home.listPools()) {
    try {
      opened.push({ name, pool: await ports.openPool(name) });
    } catch (error) {
      unavailable.push({ name, error });
    }
  }
  return { opened, unavailable };
}

/** Throws why a pool could not be opened, if one could not: before "there is none" is said of something that it may hold. */
export function throwIfUnavailable({ unavailable }: OpenedPools): void {
  const first = unavailable[0];
  if (first) throw first.error;
}

/** The newest replica of a datasource in a pool, if it has one. */
export async function findReplica({ catalog }: Ports, poolId: string, datasource: string): Promise<CachedManifest | undefined> {
  const replicas = await catalog.listManifests({ poolId, datasource, kind: 'replica' });
  return replicas.toSorted((a, b) => b.seq - a.seq)[0];
}

/** Writes a record into the pool, which is the truth, then into the catalog. */
export async function putRecord({ catalog }: Ports, pool: Pool, kind: RecordKind, owner: string, payload: unknown): Promise<PoolRecord> {
  const record = await pool.putRecord(kind, owner, payload);
  const poolId = pool.info.id;
  const others = (await catalog.listRecords(kind, poolId)).filter((cached) => cached.owner !== owner);
  const cached: CachedRecord = { poolId, kind, owner, number: record.number, payload };
  await catalog.replaceRecords(poolId, kind, [...others, cached]);
  return record;
}
