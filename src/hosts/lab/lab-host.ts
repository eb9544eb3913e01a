import { basename } from 'node:path';
import { type Finding, type Host, HostUnreachableError, type HostVm } from '../host.ts';
import { freezeVm } from './capture.ts';
import { readFaults } from './faults.ts';
import { describeVm } from './inventory.ts';
import { removeExpiredDisks } from './kept-old.ts';
import { openCapture } from './lab-capture.ts';
import type { LabContext } from './lab-context.ts';
import { reachLabFolder } from './lab-folders.ts';
import { readLabState } from './lab-state.ts';
import { readVms } from './lab-vm.ts';
import { beginNewVm } from './new-vm-recovery.ts';
import { abandonRecovery, beginOverVm } from './original-recovery.ts';
import { livingCaptures, settle } from './settle.ts';
import { LabVmInvalidError } from './vm-definition.ts';

/** A folder of VM definitions and virtual disks, as a Hyper-V host would show them. */
export function openLabHost(lab: LabContext): Host {
  const calls = new Map<string, number>();

  /** Counts the calls about a VM in this process, for the fault `host-gone`. */
  async function call(vmId: string): Promise<void> {
    const { vms } = await readVms(lab.name, lab.path);
    const folder = vms.find(({ definition }) => definition.id === vmId.toLowerCase())?.folder;
    if (folder === undefined) return;
    const number = (calls.get(folder) ?? 0) + 1;
    calls.set(folder, number);
    const faults = await readFaults(folder);
    if (faults.has('host-gone') && number > (faults.get('host-gone') ?? 1))
      throw new HostUnreachableError(lab.name, 'it no longer answers (the fault host-gone is on)');
  }

  return {
    name: lab.name,
    type: 'lab',
    async listVms() {
      const { vms } = await readVms(lab.name, lab.path);
      const described: HostVm[] = [];
      // A few at a time: each opens the images of its disks.
      for (let at = 0; at < vms.length; at += 16)
        for (const result of await Promise.allSettled(vms.slice(at, at + 16).map((vm) => describeVm(lab.diskFormats, vm)))) {
          if (result.status === 'fulfilled') described.push(result.value);
          // `check` tells of those; they hide no other.
          else if (!(result.reason instanceof LabVmInvalidError)) throw result.reason;
        }
      return described;
    },
    check: () => checkLab(lab),
    async capture(vmId, request) {
      await call(vmId);
      const frozen = await freezeVm(lab, vmId, request);
      return openCapture(lab, request.captureId, frozen, () => call(vmId));
    },
    async releaseLeftover({ vmId }) {
      return settle(lab, vmId);
    },
    async beginOriginalRecovery(request) {
      const { vms } = await readVms(lab.name, lab.path);
      if (vms.some(({ definition }) => definition.id === request.vm.id.toLowerCase())) {
        await call(request.vm.id);
        return beginOverVm(lab, request);
      }
      const { recoveryId, vm, start, journal } = request;
      return beginNewVm(lab, { recoveryId, vm, id: vm.id, name: vm.name, start, keys: {}, journal });
    },
    async beginNewVmRecovery({ recoveryId, vm, name, path, network, highlyAvailable, start, journal }) {
      await readVms(lab.name, lab.path);
      const keys = { replication: undefined, cluster: highlyAvailable ? { role: name ?? vm.name } : undefined, network };
      return beginNewVm(lab, {
        recoveryId,
        vm,
        id: lab.random.uuid(),
        name: name ?? vm.name,
        ...(path !== undefined && { path }),
        start,
        keys,
        journal,
      });
    },
    reachFolder: (path) => reachLabFolder(lab, path),
    abandonLeftover: (facts) => abandonRecovery(lab, facts),
    removeExpired: (now) => removeExpiredDisks(lab, now),
    async [Symbol.asyncDispose]() {},
  };
}

async function checkLab(lab: LabContext): Promise<Finding[]> {
  const { vms, broken } = await readVms(lab.name, lab.path);
  const findings: Finding[] = broken.map(({ folderName, error }) => ({
    code: error.code,
    severity: 'blocks',
    message: error.message,
    hint: error.hint,
    vm: folderName,
  }));
  for (const vm of vms) {
    const { name } = vm.definition;
    try {
      const described = await describeVm(lab.diskFormats, vm);
      for (const { path, problem } of described.disks)
        if (problem !== undefined)
          findings.push({
            code: 'MABS-LAB-DISK',
            severity: 'blocks',
            message: `${basename(path)}: ${problem}`,
            hint: 'Mend or replace the image.',
            vm: name,
          });
      const state = await readLabState(vm.folder);
      if (state.overlays.length > 0 && (await livingCaptures(lab, state)).length === 0)
        findings.push({
          code: 'MABS-HOST-MERGE-FAILED',
          severity: 'warns',
          message: 'differencing disks of an earlier capture lie over its disks',
          hint: 'The next job on this VM merges them.',
          vm: name,
        });
    } catch (error) {
      const {
        code = 'MABS-LAB-VM-INVALID',
        message,
        hint = 'Mend the VM.',
      } = error as { code?: `MABS-${string}`; message: string; hint?: string };
      findings.push({ code, severity: 'blocks', message, hint, vm: name });
    }
  }
  return findings;
}
