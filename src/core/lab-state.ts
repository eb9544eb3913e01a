import type { VmAction } from '../hosts/host.ts';
import type { VmState } from '../model/consistency.ts';
import { type LabPorts, withLabVm } from './lab-target.ts';

export interface LabStateReport {
  readonly vm: string;
  readonly from: VmState;
  readonly to: VmState;
}

/** Starts, stops, saves, pauses or crashes a simulated VM. */
export function changeLabState(lab: LabPorts, target: string, action: VmAction): Promise<LabStateReport> {
  return withLabVm(lab, target, (host, vm) => host.setState(vm.id, action));
}
