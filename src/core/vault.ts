import type { CachedManifest, CachedRecord } from '../catalogs/catalog.ts';
import type { Pool, RecordKind } from '../pool/pool.ts';
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

/** What was found by the first look of each command: a pool that cannot be opened is not tried (and its passphrase asked for) again. */
const looks = new WeakMap<Ports, Promise<OpenedPools>>();

/** Opens every pool of the home. One whose volume is away does not hide what the others hold. */
export function openPools(ports: Ports): Promise<OpenedPools> {
  const look = looks.get(ports) ?? openAll(ports);
  looks.set(ports, look);
  return look;
}

async function openAll(ports: Ports): Promise<OpenedPools> {
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
export async function putRecord(ports: Ports, pool: Pool, kind: RecordKind, owner: string, payload: unknown): Promise<void> {
  await putRecords(ports, pool, kind, [{ owner, payload }]);
}

/** The same for many records of one kind, each of another owner; the catalog is brought up to date once. */
export async function putRecords(
  { catalog }: Ports,
  pool: Pool,
  kind: RecordKind,
  entries: readonly { readonly owner: string; readonly payload: unknown }[],
): Promise<void> {
  if (entries.length === 0) return;
  const poolId = pool.info.id;
  const written = new Map<string, CachedRecord>();
  try {
    for (const { owner, payload } of entries) {
      const { number } = await pool.putRecord(kind, owner, payload);
      written.set(owner, { poolId, kind, owner, number, payload });
    }
  } finally {
    const others = (await catalog.listRecords(kind, poolId)).filter(({ owner }) => !written.has(owner));
    await catalog.replaceRecords(poolId, kind, [...others, ...written.values()]);
  }
}
