import { HostVmUnknownError, type SimulatedHost } from '../host.ts';
import { assertReadable } from './disk-use.ts';
import { changeFaults, formatFaults } from './faults.ts';
import { setVmState, writeAsGuest } from './guest.ts';
import { describeVm } from './inventory.ts';
import { type LabContext, stepOnVm } from './lab-context.ts';
import { readVm } from './lab-vm.ts';
import { makeSampleVms, sampleVms } from './sample-vms.ts';

/** The same folder from inside: what its guests and its administrator do. */
export function openSimulatedLab(lab: LabContext): SimulatedHost {
  return {
    path: lab.path,
    async vmInFolder(folderName) {
      const vm = await readVm(lab.path, folderName);
      if (!vm) throw new HostVmUnknownError(lab.name, folderName);
      return describeVm(lab.diskFormats, vm);
    },
    write: (vmId, write) => writeAsGuest(lab, vmId, write),
    setState: (vmId, action) => setVmState(lab, vmId, action),
    faults: (vmId, change = {}) =>
      stepOnVm(lab, vmId, async ({ folder }) => formatFaults(await changeFaults(folder, change.on ?? [], change.off ?? []))),
    assertReadable: (path) => assertReadable(lab, path),
    sampleVms: sampleVms.map(({ name, description }) => ({ name, description })),
    async makeSampleVms(names, state) {
      const folders = await makeSampleVms(lab, names, state);
      return Promise.all(folders.map((folder) => this.vmInFolder(folder)));
    },
    async [Symbol.asyncDispose]() {},
  };
}
