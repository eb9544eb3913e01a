import { resolve } from 'node:path';
import type { HostKinds, HostVm } from '../hosts/host.ts';
import type { VmState } from '../model/consistency.ts';

export interface LabInitReport {
  readonly path: string;
  readonly vms: readonly HostVm[];
}

/** Makes a simulated host with sample VMs; `vms` picks some of them by name, an empty list makes an empty host. */
export async function initLab(
  kinds: HostKinds,
  path: string,
  options: { readonly vms?: readonly string[]; readonly state: VmState },
): Promise<LabInitReport> {
  await using host = await kinds.openSimulated(resolve(path), { create: true });
  const names = options.vms ?? host.sampleVms.map(({ name }) => name);
  return { path: host.path, vms: await host.makeSampleVms(names, options.state) };
}
