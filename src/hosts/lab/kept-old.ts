import { realpath } from 'node:fs/promises';
import { isAbsolute, relative } from 'node:path';
import { trackingPath } from './change-tracking.ts';
import { removeFile } from './durable-json.ts';
import { describeDisks, isCheckpointDisk, type LabDisk } from './inventory.ts';
import { type LabContext, lockFolder } from './lab-context.ts';
import { readLabState, writeLabState } from './lab-state.ts';
import { type LabVm, readVm, readVms } from './lab-vm.ts';
import { inFolder } from './overlays.ts';

/**
 * The files of a replaced disk: its image, its tracking, and the images under it when user checkpoints were set aside with it. As
 * the VM's folder sees them, so that a copy of the folder has its own.
 */
export function filesOfOld(vm: LabVm, disk: LabDisk): string[] {
  const under = isCheckpointDisk(disk) ? disk.parents.map(({ path }) => path) : [];
  const files = [disk.path, trackingPath(disk.path), ...under, ...under.map(trackingPath)];
  return isAbsolute(disk.definition.path) ? files : files.map((file) => relative(vm.folder, file));
}

/** Removes replaced disks whose time is over, unless a VM uses them again; answers the paths removed. */
export async function removeExpiredDisks(lab: LabContext, now: number): Promise<string[]> {
  const removed: string[] = [];
  const { vms } = await readVms(lab.name, lab.path);
  for (const { folder, folderName } of vms) {
    if (!(await readLabState(folder)).keptOld.some(({ until }) => until <= now)) continue;
    await using _lock = await lockFolder(lab, folderName);
    const vm = await readVm(lab.path, folderName);
    if (vm) removed.push(...(await removeDue(lab, vm, now)));
  }
  return removed;
}

async function removeDue(lab: LabContext, vm: LabVm, now: number): Promise<string[]> {
  const state = await readLabState(vm.folder);
  const used = await usedPaths(lab);
  const removed: string[] = [];
  for (const file of state.keptOld.filter(({ until }) => until <= now).flatMap(({ files }) => files)) {
    const real = await realpath(inFolder(vm, file)).catch(() => undefined);
    if (real === undefined || used.has(real)) continue;
    // A link goes, what it points to stays: it was not the lab that put it there.
    await removeFile(inFolder(vm, file));
    removed.push(inFolder(vm, file));
  }
  await writeLabState(vm.folder, { ...state, keptOld: state.keptOld.filter(({ until }) => until > now) });
  return removed;
}

/** Every image that a VM of this host uses, parents and tracking included. */
async function usedPaths(lab: LabContext): Promise<Set<string>> {
  const used = new Set<string>();
  const { vms } = await readVms(lab.name, lab.path);
  for (const vm of vms)
    for (const disk of await describeDisks(lab.diskFormats, vm))
      for (const path of [disk.path, ...disk.parents.map((parent) => parent.path)])
        for (const file of [path, trackingPath(path)]) used.add(await realpath(file).catch(() => file));
  return used;
}
