import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DiskFormats } from '../../disks/disk-format.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Lock, Locks } from '../../lib/locks.ts';
import type { Random } from '../../lib/random.ts';
import { removeFile } from './durable-json.ts';
import { findVm, type LabVm } from './lab-vm.ts';

/** What a process that was killed while it replaced one of a VM's files left beside it. */
const UNFINISHED = /^(vm|lab-state|faults)\.json\.tmp$|\.rct\.json\.tmp$/;

/** What every part of a simulated host works with. */
export interface LabContext {
  /** What people call the host; its folder when it has no name. */
  readonly name: string;
  /** Absolute path of the host's folder. */
  readonly path: string;
  readonly diskFormats: DiskFormats;
  /** Locks among all processes that use this folder. */
  readonly locks: Locks;
  readonly clock: Clock;
  readonly random: Random;
  /** How long one step waits for another process's step on the same VM, in milliseconds. */
  readonly stepWaitMs: number;
  /** Waiting times between attempts to merge, in milliseconds. */
  readonly mergeRetriesMs: readonly number[];
}

/**
 * Runs one step on a VM while no other process takes one: the VM is read anew inside. Steps are short; a capture holds no step
 * while its disks are read.
 */
export async function stepOnVm<T>(lab: LabContext, vmId: string, step: (vm: LabVm) => Promise<T>): Promise<T> {
  const { folderName } = await findVm(lab.name, lab.path, vmId);
  await using _lock = await lockFolder(lab, folderName);
  const vm = await findVm(lab.name, lab.path, vmId);
  // Under the lock nobody else is replacing them.
  for (const name of await readdir(vm.folder)) if (UNFINISHED.test(name)) await removeFile(join(vm.folder, name));
  // Awaited here: the lock is given back when this function's block ends, not when its promise is settled.
  return await step(vm);
}

/** Takes the lock under which a VM's folder is changed. */
export function lockFolder(lab: LabContext, folderName: string): Promise<Lock> {
  return lab.locks.acquire(`vm-${folderName}`, { what: `the simulated VM in ${folderName}`, waitMs: lab.stepWaitMs });
}

/** The lock that a living capture holds, by which others tell it from one whose process died. */
export function captureLockName(captureId: string): string {
  return `capture-${captureId}`;
}
