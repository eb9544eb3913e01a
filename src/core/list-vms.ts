import type { HostVm } from '../hosts/host.ts';
import { listGroups } from './groups.ts';
import { sameName } from './home.ts';
import { firstCause } from './job.ts';
import type { Ports } from './ports.ts';

/** A VM as `vm list` shows it; `protectedBy`: the name of its group. */
export interface ListedVm {
  readonly host: string;
  readonly name: string;
  readonly id: string;
  readonly state: string;
  readonly generation: 1 | 2;
  readonly os: string;
  readonly disks: readonly { readonly path: string; readonly virtualSize: number; readonly format: string; readonly problem?: string }[];
  readonly consistency: string;
  readonly protectedBy?: string;
}

export interface VmList {
  readonly vms: readonly ListedVm[];
  /** Hosts that could not be asked. */
  readonly unreachable: readonly { readonly host: string; readonly error: unknown }[];
}

/** The VMs of one host, or of all: a host that cannot be reached hides only its own, and throws only where it was named. */
export async function listVms(ports: Ports, hostName?: string): Promise<VmList> {
  const groupOf = new Map<string, string>();
  for (const { group } of await listGroups(ports)) {
    for (const { host, vmId } of group.members) groupOf.set(placeOf(host, vmId), group.name);
  }
  const vms: ListedVm[] = [];
  const unreachable: { host: string; error: unknown }[] = [];
  const known = await ports.home.listHosts();
  const names =
    hostName === undefined ? known.map(({ name }) => name) : [known.find(({ name }) => sameName(name, hostName))?.name ?? hostName];
  for (const host of names) {
    try {
      for (const vm of await (await ports.openHost(host)).listVms()) vms.push(listed(host, vm, groupOf.get(placeOf(host, vm.id))));
    } catch (error) {
      if (hostName !== undefined) throw error;
      unreachable.push({ host, error: firstCause(error) });
    }
  }
  return { vms, unreachable };
}

function listed(host: string, vm: HostVm, group: string | undefined): ListedVm {
  const { name, id, state, generation, os, consistency } = vm;
  const disks = vm.disks.map(({ path, virtualSize, format, problem }) => ({
    path,
    virtualSize,
    format,
    ...(problem !== undefined && { problem }),
  }));
  return { host, name, id, state, generation, os, disks, consistency, ...(group !== undefined && { protectedBy: group }) };
}

function placeOf(host: string, vmId: string): string {
  return `${host.toLowerCase()}/${vmId.toLowerCase()}`;
}
