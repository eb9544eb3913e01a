import { getGroup, type KnownGroup, listGroups } from './groups.ts';
import type { PoolConfiguration, Ports } from './ports.ts';

export interface ConfirmReport {
  readonly confirmed: readonly string[];
  /** Groups that still wait. */
  readonly waiting: readonly string[];
}

/** Says that groups which came back with an imported pool are meant as they are: from then on prune obeys their policy. */
export async function confirmGroups(
  ports: Ports,
  request: { readonly names: readonly string[]; readonly all: boolean },
): Promise<ConfirmReport> {
  const groups = request.all ? await listGroups(ports) : await Promise.all(request.names.map((name) => getGroup(ports, name)));
  for (const pool of await ports.home.listPools()) await confirmIn(ports, pool, groups, request.all);
  const waiting = [];
  for (const known of await listGroups(ports)) if (!(await isConfirmed(ports, known))) waiting.push(known.group.name);
  return { confirmed: groups.map(({ group }) => group.name), waiting };
}

/** Ids of the groups of a pool whose policy may remove points. */
export async function confirmedGroups({ catalog }: Ports, pool: PoolConfiguration): Promise<'all' | Set<string>> {
  if (!pool.groupsUnconfirmed) return 'all';
  const known = await catalog.getValue(keyOf(pool));
  return new Set(Array.isArray(known) ? known.filter((id) => typeof id === 'string') : []);
}

async function confirmIn(ports: Ports, pool: PoolConfiguration, groups: readonly KnownGroup[], all: boolean): Promise<void> {
  const before = await confirmedGroups(ports, pool);
  if (before === 'all') return;
  const confirmed = new Set([...before, ...groups.filter(({ poolId }) => poolId === pool.id).map(({ group }) => group.id)]);
  const own = (await listGroups(ports)).filter(({ poolId }) => poolId === pool.id);
  await ports.catalog.setValue(keyOf(pool), [...confirmed]);
  if (!all && !own.every(({ group }) => confirmed.has(group.id))) return;
  const { groupsUnconfirmed: _, ...settled } = pool;
  await ports.home.putPool(settled);
}

async function isConfirmed(ports: Ports, { group, poolId }: KnownGroup): Promise<boolean> {
  const pool = (await ports.home.listPools()).find(({ id }) => id === poolId);
  const confirmed = pool ? await confirmedGroups(ports, pool) : 'all';
  return confirmed === 'all' || confirmed.has(group.id);
}

function keyOf({ id }: PoolConfiguration): string {
  return `confirmed-groups/${id}`;
}
