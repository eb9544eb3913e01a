import { MabsError } from '../lib/errors.ts';
import { type GroupMember, groupSchema, type ProtectionGroup } from '../model/group.ts';
import { nearNames } from '../model/near-names.ts';
import type { Ports } from './ports.ts';
import { refreshRecords } from './refresh-catalog.ts';
import { openPools, putRecord } from './vault.ts';

/** A protection group and the pool of this home that keeps it. */
export interface KnownGroup {
  readonly group: ProtectionGroup;
  readonly poolName: string;
  readonly poolId: string;
}

/** A member to work on, with its group. */
export interface KnownMember extends KnownGroup {
  readonly member: GroupMember;
}

export class GroupUnknownError extends MabsError {
  readonly code = 'MABS-GROUP-UNKNOWN';
  readonly hint: string;
  constructor(name: string, known: readonly string[]) {
    super(`there is no protection group named ${name}`);
    const near = nearNames(name, known);
    this.hint =
      near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'See `mabs group list`; make one with `mabs protect --group NAME`.';
  }
}

/** All groups of the home's pools, by name. Removed ones only when asked for. */
export async function listGroups(ports: Ports, options: { readonly removed?: boolean } = {}): Promise<KnownGroup[]> {
  const { opened } = await openPools(ports);
  const nameOf = new Map(opened.map(({ name, pool }) => [pool.info.id, name]));
  for (const { id, name } of await ports.home.listPools()) nameOf.set(id, name);
  const groups: KnownGroup[] = [];
  for (const record of await ports.catalog.listRecords('group')) {
    const group = groupSchema.safeParse(record.payload);
    const poolName = nameOf.get(record.poolId);
    if (!group.success || poolName === undefined || (group.data.removed && !options.removed)) continue;
    groups.push({ group: group.data, poolName, poolId: record.poolId });
  }
  return groups.sort((a, b) => a.group.name.localeCompare(b.group.name));
}

/** The group of that name, `undefined` when there is none. */
export async function findGroup(ports: Ports, name: string): Promise<KnownGroup | undefined> {
  return (await listGroups(ports)).find(({ group }) => group.name === name);
}

/** The group of that name; MABS-GROUP-UNKNOWN when there is none. */
export async function getGroup(ports: Ports, name: string): Promise<KnownGroup> {
  const groups = await listGroups(ports);
  const found = groups.find(({ group }) => group.name === name);
  if (!found) {
    throw new GroupUnknownError(
      name,
      groups.map(({ group }) => group.name),
    );
  }
  return found;
}

/** How long a command waits for another one that is changing groups, at least: that takes a moment only. */
const CHANGE_WAIT_MS = 5000;

/**
 * Changes groups, one process at a time. `change` gets the groups as they are now, whatever was read or planned before, and answers
 * the one to be recorded and its pool; `undefined` changes nothing.
 */
export async function changeGroups(
  ports: Ports,
  change: (groups: readonly KnownGroup[]) => { readonly poolName: string; readonly group: ProtectionGroup } | undefined,
): Promise<void> {
  const waitMs = Math.max(ports.waitMs, CHANGE_WAIT_MS);
  await using _lock = await ports.locks.acquire('groups', { what: 'the list of protection groups', waitMs });
  for (const { pool } of (await openPools(ports)).opened) await refreshRecords(ports.catalog, pool, 'group');
  const changed = change(await listGroups(ports));
  if (changed) await putRecord(ports, await ports.openPool(changed.poolName), 'group', changed.group.id, changed.group);
}

/** The same for one group, which may be gone by now: then there is nothing to change. */
export async function changeGroup(ports: Ports, id: string, change: (group: ProtectionGroup) => ProtectionGroup): Promise<void> {
  await changeGroups(ports, (groups) => {
    const found = groups.find(({ group }) => group.id === id);
    return found && { poolName: found.poolName, group: change(found.group) };
  });
}

/** The members of groups, each with its group. */
export function membersOf(groups: readonly KnownGroup[]): KnownMember[] {
  return groups.flatMap((known) => known.group.members.map((member) => ({ ...known, member })));
}

/** A VM as reports name it. */
export function vmLabel({ host, vmName }: Pick<GroupMember, 'host' | 'vmName'>): string {
  return `${host}/${vmName}`;
}
