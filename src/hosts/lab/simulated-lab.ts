import type { SimulatedHost } from '../host.ts';
import { assertReadable } from './disk-use.ts';
import { changeFaults, formatFaults } from './faults.ts';
import { setVmState, writeAsGuest } from './guest.ts';
import type { LabContext } from './lab-context.ts';
import { stepOnVm } from './lab-context.ts';
import { openLabHost } from './lab-host.ts';
import { makeSampleVms, sampleVms } from './sample-vms.ts';

/** The same folder from inside: what its guests and its administrator do. */
export function openSimulatedLab(lab: LabContext): SimulatedHost {
  const host = openLabHost(lab);
  return {
    path: lab.path,
    listVms: () => host.listVms(),
    write: (vmId, write) => writeAsGuest(lab, vmId, write),
    setState: (vmId, action) => setVmState(lab, vmId, action),
    faults: (vmId, change = {}) =>
      stepOnVm(lab, vmId, async ({ folder }) => formatFaults(await changeFaults(folder, change.on ?? [], change.off ?? []))),
    assertReadable: (path) => assertReadable(lab, path),
    sampleVms: sampleVms.map(({ name, description }) => ({ name, description })),
    async makeSampleVms(names, state) {
      await makeSampleVms(lab, names, state);
      return (await host.listVms()).filter(({ name }) => names.includes(name));
    },
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
}
