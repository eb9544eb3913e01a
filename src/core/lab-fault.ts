import { type LabPorts, withLabVm } from './lab-target.ts';

export interface LabFaultReport {
  readonly vm: string;
  /** Those that are on now. */
  readonly faults: readonly string[];
}

/** Switches faults of a simulated VM on and off; with neither, tells which are on. */
export function changeLabFaults(
  lab: LabPorts,
  target: string,
  change: { readonly on: readonly string[]; readonly off: readonly string[] },
): Promise<LabFaultReport> {
  return withLabVm(lab, target, async (host, vm) => ({ vm: vm.name, faults: await host.faults(vm.id, change) }));
}
