import { MabsError } from '../lib/errors.ts';
import { parseVmName } from '../model/names.ts';
import { getGroup, type KnownMember, listGroups, membersOf, vmLabel } from './groups.ts';
import { type LiveVm, listLiveVms, matchVm, NameAmbiguousError, VmUnknownError } from './inventory.ts';
import type { Ports } from './ports.ts';

/** Which members a job works on, as a user says it. */
export interface MemberSelection {
  readonly vms?: readonly string[];
  readonly group?: string;
  readonly all?: boolean;
}

export class NothingSelectedError extends MabsError {
  readonly code = 'MABS-NOTHING-SELECTED';
  readonly hint = 'Name virtual machines as HOST/NAME, or use --group NAME or --all.';
  override readonly kind = 'usage';
  constructor() {
    super('no virtual machine is named: HOST/VM, --group or --all is missing');
  }
}

export class VmNotProtectedError extends MabsError {
  readonly code = 'MABS-VM-NOT-PROTECTED';
  readonly hint: string;
  constructor(vm: string) {
    super(`${vm} is in no protection group`);
    this.hint = `Protect it first: mabs protect --group NAME --member ${vm}`;
  }
}

/** The members that are named, each once: all that is named must exist before anything is done. */
export async function selectMembers(ports: Ports, { vms = [], group, all }: MemberSelection): Promise<KnownMember[]> {
  if (vms.length === 0 && group === undefined && !all) throw new NothingSelectedError();
  const selected: KnownMember[] = [];
  if (all) selected.push(...membersOf(await listGroups(ports)));
  if (group !== undefined) selected.push(...membersOf([await getGroup(ports, group)]));
  if (vms.length > 0) {
    const members = membersOf(await listGroups(ports));
    for (const text of vms) selected.push(await getMember(ports, members, text));
  }
  return [...new Map(selected.map((known) => [known.member.datasource, known])).values()];
}

/**
 * The member that a name means: by the name that the VM has on its host now, else, where the host does not know that name or
 * cannot be asked, by the name it had when it was last seen.
 */
async function getMember(ports: Ports, members: readonly KnownMember[], text: string): Promise<KnownMember> {
  const wanted = parseVmName(text);
  const live = await listLiveVms(ports, wanted.host).catch((): LiveVm[] => []);
  const alive = matchVm(live, wanted, ({ host, vm }) => ({ host, id: vm.id, name: vm.name }));
  const found =
    alive.length > 0
      ? alive.flatMap(({ host, vm }) => members.filter(({ member }) => member.host === host && member.vmId === vm.id))
      : matchVm(members, wanted, ({ member }) => ({ host: member.host, id: member.vmId, name: member.vmName }));
  if (alive.length > 1 || found.length > 1) {
    const ids =
      alive.length > 1 ? alive.map(({ host, vm }) => `${host}/{${vm.id}}`) : found.map(({ member }) => `${member.host}/{${member.vmId}}`);
    throw new NameAmbiguousError(text, ids);
  }
  if (found[0]) return found[0];
  if (alive[0]) throw new VmNotProtectedError(`${alive[0].host}/${alive[0].vm.name}`);
  throw new VmUnknownError(text, [...live.map(({ host, vm }) => `${host}/${vm.name}`), ...members.map(({ member }) => vmLabel(member))]);
}
