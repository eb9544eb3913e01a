import { MabsError } from '../lib/errors.ts';
import { isoUtc } from '../lib/times.ts';
import { datasourceId } from '../model/datasource.ts';
import { defaultPolicy, type GroupMember, type Policy, type ProtectionGroup } from '../model/group.ts';
import { NameTakenError } from './entity-name.ts';
import { changeGroups, findGroup, GroupUnknownError, type KnownGroup, listGroups, membersOf, vmLabel } from './groups.ts';
import { getLiveVm } from './inventory.ts';
import type { Ports } from './ports.ts';

/** What is to be recorded: a new group, or what changes in one that exists. */
export interface ProtectRequest {
  readonly group: string;
  /** VMs as HOST/NAME. */
  readonly members: readonly string[];
  /** The pool's name; needed only for a new group where there are several. */
  readonly pool?: string;
  /** Only what is named; the rest is the default, or stays as it is. */
  readonly policy: Partial<Policy>;
}

/** What `protect` is about to record. Plain data; `apply` decides nothing. */
export interface ProtectPlan {
  readonly isNew: boolean;
  readonly poolName: string;
  readonly group: ProtectionGroup;
  readonly added: readonly string[];
  readonly changed: readonly { readonly setting: keyof Policy; readonly from: unknown; readonly to: unknown }[];
}

export class PoolNoneError extends MabsError {
  readonly code = 'MABS-POOL-NONE';
  readonly hint = 'Add one first: mabs pool add NAME --path DIR';
  constructor() {
    super('there is no pool yet to keep replicas and recovery points in');
  }
}

export class PoolSeveralError extends MabsError {
  readonly code = 'MABS-POOL-SEVERAL';
  readonly hint: string;
  override readonly kind = 'usage';
  constructor(names: readonly string[]) {
    super('--pool is missing, and there are several pools');
    this.hint = `Add one of: ${names.map((name) => `--pool ${name}`).join(', ')}`;
  }
}

export class PoolOfGroupError extends MabsError {
  readonly code = 'MABS-GROUP-POOL';
  readonly hint = 'Leave --pool out, or make a new group in the other pool.';
  constructor(group: string, pool: string) {
    super(`the group ${group} keeps its points in the pool ${pool}, which cannot be changed`);
  }
}

export class VmAlreadyProtectedError extends MabsError {
  readonly code = 'MABS-VM-ALREADY-PROTECTED';
  readonly hint: string;
  constructor(vm: string, group: string) {
    super(`${vm} is already a member of the group ${group}`);
    this.hint = `Take it out there first: mabs group remove-member ${group} ${vm} (its points are kept)`;
  }
}

/** Looks everything up and says what would be recorded. Changes nothing. */
export async function planProtect(ports: Ports, request: ProtectRequest): Promise<ProtectPlan> {
  const existing = await findGroup(ports, request.group);
  const poolName = existing ? checkedPool(existing, request.pool) : await choosePool(ports, request.pool);
  const groups = await listGroups(ports);
  const members = [...(existing?.group.members ?? [])];
  const added: string[] = [];
  for (const text of request.members) {
    const member = await memberOf(ports, text);
    if (members.some(({ datasource }) => datasource === member.datasource)) continue;
    const other = membersOf(groups).find((known) => known.member.datasource === member.datasource);
    if (other) throw new VmAlreadyProtectedError(vmLabel(member), other.group.name);
    members.push(member);
    added.push(vmLabel(member));
  }
  const before = existing?.group.policy ?? defaultPolicy;
  const policy = { ...before, ...request.policy };
  const group = existing?.group ?? newGroup(ports, request.group, poolName);
  return { isNew: !existing, poolName, group: { ...group, members, policy }, added, changed: existing ? changes(before, policy) : [] };
}

/**
 * Records the group, upon what it is by now: another process may have changed it, or taken one of the VMs, since the plan was made.
 * The first sync, checkpoint or scheduler run makes the initial replicas.
 */
export async function applyProtect(ports: Ports, plan: ProtectPlan): Promise<ProtectionGroup> {
  if (!plan.isNew && plan.added.length === 0 && plan.changed.length === 0) return plan.group;
  let recorded = plan.group;
  await changeGroups(ports, (groups) => {
    recorded = planUpon(plan, groups);
    return { poolName: plan.poolName, group: recorded };
  });
  return recorded;
}

/** The group that a plan makes of groups that may have changed since. */
function planUpon(plan: ProtectPlan, groups: readonly KnownGroup[]): ProtectionGroup {
  const { group, isNew } = plan;
  const namesake = groups.find((known) => known.group.name === group.name);
  if (isNew && namesake) throw new NameTakenError('group', group.name);
  const now = isNew ? group : groups.find((known) => known.group.id === group.id)?.group;
  if (!now) throw new GroupUnknownError(group.name, []);
  const members = isNew ? [] : [...now.members];
  for (const member of group.members.filter((each) => plan.added.includes(vmLabel(each)))) {
    if (members.some(({ datasource }) => datasource === member.datasource)) continue;
    const taken = membersOf(groups).find((known) => known.member.datasource === member.datasource);
    if (taken) throw new VmAlreadyProtectedError(vmLabel(member), taken.group.name);
    members.push(member);
  }
  const changed = Object.fromEntries(plan.changed.map(({ setting, to }) => [setting, to]));
  return { ...now, members, policy: { ...now.policy, ...changed } };
}

async function memberOf(ports: Ports, text: string): Promise<GroupMember> {
  const { host, vm } = await getLiveVm(ports, text);
  return { host, vmId: vm.id, vmName: vm.name, datasource: datasourceId(host, vm.id) };
}

function checkedPool({ group, poolName }: KnownGroup, wanted: string | undefined): string {
  if (wanted !== undefined && wanted !== poolName) throw new PoolOfGroupError(group.name, poolName);
  return poolName;
}

async function choosePool(ports: Ports, wanted: string | undefined): Promise<string> {
  const names = (await ports.home.listPools()).map(({ name }) => name);
  if (names.length === 0) throw new PoolNoneError();
  if (wanted === undefined && names.length > 1) throw new PoolSeveralError(names);
  const name = wanted ?? names[0]!;
  await ports.openPool(name);
  return name;
}

function newGroup({ random, clock }: Ports, name: string, pool: string): Omit<ProtectionGroup, 'members' | 'policy'> {
  return { version: 1, id: random.uuid(), name, pool, createdAt: isoUtc(clock.now()) };
}

function changes(before: Policy, after: Policy): ProtectPlan['changed'] {
  const settings = Object.keys(after) as (keyof Policy)[];
  return settings
    .filter((setting) => JSON.stringify(before[setting]) !== JSON.stringify(after[setting]))
    .map((setting) => ({ setting, from: before[setting], to: after[setting] }));
}
