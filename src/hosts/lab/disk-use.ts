import { realpath } from 'node:fs/promises';
import { MabsError } from '../../lib/errors.ts';
import type { LabContext } from './lab-context.ts';
import { readLabState } from './lab-state.ts';
import { readVms } from './lab-vm.ts';
import { topPath } from './overlays.ts';

/** Windows lets nobody read the image that a running VM writes to. */
export class DiskInUseError extends MabsError {
  readonly code = 'MABS-DISK-IN-USE';
  readonly hint = 'Read it through a capture, as `mabs sync` does, or turn the VM off.';
  override readonly kind = 'locked';
  constructor(path: string, vm: string) {
    super(`${path} is in use by the VM ${vm}`);
  }
}

/** Rejects with MABS-DISK-IN-USE when `path` is the image to which a running or paused VM writes. */
export async function assertReadable(lab: LabContext, path: string): Promise<void> {
  const wanted = await resolved(path);
  const { vms } = await readVms(lab.name, lab.path);
  for (const vm of vms) {
    if (vm.definition.state !== 'running' && vm.definition.state !== 'paused') continue;
    const state = await readLabState(vm.folder);
    for (const disk of vm.definition.disks)
      if ((await resolved(topPath(vm, state, disk))) === wanted) throw new DiskInUseError(path, vm.definition.name);
  }
}

async function resolved(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}
