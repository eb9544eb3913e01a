import type { HostVm } from '../hosts/host.ts';
import { MabsError } from '../lib/errors.ts';
import { parseVmName, type VmName } from '../model/names.ts';
import { nearNames } from '../model/near-names.ts';
import type { Ports } from './ports.ts';

/** A VM on a host of this home, as it is now. */
export interface LiveVm {
  readonly host: string;
  readonly vm: HostVm;
}

export class VmUnknownError extends MabsError {
  readonly code = 'MABS-VM-UNKNOWN';
  readonly hint: string;
  constructor(text: string, known: Iterable<string>) {
    super(`there is no virtual machine ${text}`);
    const near = nearNames(text, known);
    this.hint =
      near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'See `mabs vm list` and `mabs point list` for the names that are known.';
  }
}

export class NameAmbiguousError extends MabsError {
  readonly code = 'MABS-NAME-AMBIGUOUS';
  readonly hint: string;
  override readonly kind = 'usage';
  constructor(text: string, ids: readonly string[]) {
    super(`${text} names ${ids.length} virtual machines`);
    this.hint = `Name one of them: ${ids.join(', ')}.`;
  }
}

/** All VMs of one host, or of every host that the home knows. One host that cannot be reached is an error only when it was named. */
export async function listLiveVms(ports: Ports, hostName?: string): Promise<LiveVm[]> {
  const found: LiveVm[] = [];
  for (const { name } of await ports.home.listHosts()) {
    if (hostName !== undefined && !sameName(name, hostName)) continue;
    try {
      for (const vm of await (await ports.openHost(name)).listVms()) found.push({ host: name, vm });
    } catch (error) {
      if (hostName !== undefined) throw error;
    }
  }
  return found;
}

/** The VM that a text names in the inventory of now; MABS-VM-UNKNOWN, MABS-NAME-AMBIGUOUS, MABS-HOST-UNKNOWN. */
export async function getLiveVm(ports: Ports, text: string): Promise<LiveVm> {
  const name = parseVmName(text);
  await checkHost(ports, name);
  const vms = await listLiveVms(ports, name.host);
  const found = matchVm(vms, name, ({ host, vm }) => ({ host, id: vm.id, name: vm.name }));
  if (found.length > 1) {
    throw new NameAmbiguousError(
      text,
      found.map(({ host, vm }) => `${host}/{${vm.id}}`),
    );
  }
  if (!found[0]) {
    throw new VmUnknownError(
      text,
      vms.map(({ host, vm }) => `${host}/${vm.name}`),
    );
  }
  return found[0];
}

/** Those that a name may mean: by id, else by the exact name, else by the name in any case. */
export function matchVm<T>(
  all: readonly T[],
  wanted: VmName,
  of: (item: T) => { readonly host: string; readonly id: string; readonly name: string },
): T[] {
  const onHost = all.filter((item) => wanted.host === undefined || sameName(of(item).host, wanted.host));
  if (wanted.byId) return onHost.filter((item) => of(item).id.toLowerCase() === wanted.vm);
  const exact = onHost.filter((item) => of(item).name === wanted.vm);
  return exact.length > 0 ? exact : onHost.filter((item) => sameName(of(item).name, wanted.vm));
}

/** Lets the port complain about a host that the home does not know. */
async function checkHost(ports: Ports, { host }: VmName): Promise<void> {
  if (host === undefined) return;
  const known = (await ports.home.listHosts()).find(({ name }) => sameName(name, host));
  if (!known) await ports.openHost(host);
}

function sameName(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}
