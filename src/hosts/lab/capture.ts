import { constants, copyFile, realpath, stat, truncate } from 'node:fs/promises';
import { basename, dirname, extname, join, relative } from 'node:path';
import { MabsError, throwIfAborted } from '../../lib/errors.ts';
import { type Lock, LockedError } from '../../lib/locks.ts';
import type { CaptureRequest } from '../host.ts';
import { readTracking, type TrackingState } from './change-tracking.ts';
import { type CapturePlan, planCapture } from './consistency.ts';
import { removeFile } from './durable-json.ts';
import { type Faults, readFaults } from './faults.ts';
import { describeDisks, type LabDisk } from './inventory.ts';
import { captureLockName, type LabContext, stepOnVm } from './lab-context.ts';
import { type CaptureRecord, type LabState, type Overlay, writeLabState } from './lab-state.ts';
import { findVm, type LabVm, rewriteVm } from './lab-vm.ts';
import { inFolder, makeOverlay, planOverlays, topPath } from './overlays.ts';
import { checkReplication } from './replication.ts';
import { comeToRest } from './settle.ts';

/** A capture failed because a fault says so. */
export class CaptureFailedError extends MabsError {
  readonly code = 'MABS-HOST-CAPTURE-FAILED';
  readonly hint = 'The VM is as it was before. Look at the host, then run the job again.';
  constructor(vm: string, why: string) {
    super(`${vm} could not be captured: ${why}`);
  }
}

/** A disk as it was frozen. */
export interface FrozenDisk {
  readonly disk: LabDisk;
  /** What holds the frozen content, symbolic links resolved: nobody who exchanges a link changes what is read. */
  readonly frozenPath: string;
  readonly tracking: TrackingState;
}

/** A VM at the moment of its capture. */
export interface FrozenVm {
  readonly vm: LabVm;
  readonly plan: CapturePlan;
  readonly capturedAt: number;
  readonly disks: readonly FrozenDisk[];
  readonly faults: Faults;
  /** Held as long as the capture lives. */
  readonly lock: Lock;
}

/** Freezes a VM's disks in one step. Whatever goes wrong, the VM goes on as before and nothing of the capture is left. */
export async function freezeVm(lab: LabContext, vmId: string, request: CaptureRequest): Promise<FrozenVm> {
  const { definition } = await findVm(lab.name, lab.path, vmId);
  const lock = await lab.locks.acquire(captureLockName(request.captureId), { what: `the capture ${request.captureId}`, waitMs: 0 });
  try {
    await request.journal({ vmId: definition.id, vmName: definition.name });
    return await stepOnVm(lab, vmId, (vm) => freeze(lab, vm, request, lock));
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    await lab.locks.forget?.(lock.name);
    throw error;
  }
}

async function freeze(lab: LabContext, found: LabVm, request: CaptureRequest, lock: Lock): Promise<FrozenVm> {
  throwIfAborted(request.signal);
  // Overlays that cannot be merged now stay, and the new ones lie over them.
  const { vm, state } = await comeToRest(lab, found, request.captureId);
  if (state.captures.length > 0) throw new LockedError(`the VM ${vm.definition.name}`);
  const faults = await readFaults(vm.folder);
  checkReplication(vm.definition);
  const plan = planCapture(vm.definition, faults, request);
  const described = await describeDisks(lab.diskFormats, vm);
  // Throws what keeps a disk from being described.
  for (const disk of described) if (!disk.info) await lab.diskFormats.describe(disk.path);
  const overlays = plan.way === 'as-it-lies' ? [] : await planOverlays(lab, vm, state, request.captureId);
  const tops = described.map((disk) => topPath(vm, state, disk.definition));
  const record: CaptureRecord = {
    id: request.captureId,
    at: new Date(lab.clock.now()).toISOString(),
    kind: plan.way === 'as-it-lies' ? 'as-it-lies' : 'frozen',
    ...((plan.way === 'pause' || plan.way === 'save') && { resumeTo: 'running' as const }),
    files: faults.has('disk-read-error')
      ? tops.slice(0, 1).map((path) => relative(vm.folder, unreadableCopy(path, request.captureId)))
      : [],
  };
  await writeLabState(vm.folder, { ...state, captures: [...state.captures, record], overlays: [...state.overlays, ...overlays] });
  try {
    const capturedAt = await putOverlays(lab, vm, plan, overlays, faults);
    const disks = await Promise.all(
      described.map(async (disk, index) => ({ disk, frozenPath: await realpath(tops[index]!), tracking: await readTracking(disk.path) })),
    );
    if (record.files.length > 0)
      disks[0] = { ...disks[0]!, frozenPath: await makeUnreadable(disks[0]!.frozenPath, inFolder(vm, record.files[0]!)) };
    const { resumeTo: _, ...active } = record;
    const made = overlays.map((overlay): Overlay => ({ ...overlay, phase: 'active' }));
    await writeLabState(vm.folder, { ...state, captures: [...state.captures, active], overlays: [...state.overlays, ...made] });
    throwIfAborted(request.signal);
    return { vm, plan, capturedAt, disks, faults, lock };
  } catch (error) {
    await takeBack(vm, state, record, overlays);
    throw error;
  }
}

/** Makes the overlays, with the VM held meanwhile where the plan says so; answers when the disks were frozen. */
async function putOverlays(lab: LabContext, vm: LabVm, plan: CapturePlan, overlays: readonly Overlay[], faults: Faults): Promise<number> {
  const held = plan.way === 'pause' ? 'paused' : plan.way === 'save' ? 'saved' : undefined;
  if (held !== undefined) await rewriteVm(vm, { state: held });
  try {
    for (const overlay of overlays) await makeOverlay(lab, vm, overlay);
    if (faults.has('capture-fails')) throw new CaptureFailedError(vm.definition.name, 'the fault capture-fails is on');
    return lab.clock.now();
  } finally {
    if (held !== undefined) await rewriteVm(vm, { state: vm.definition.state });
  }
}

async function takeBack(vm: LabVm, state: LabState, { files }: CaptureRecord, overlays: readonly Overlay[]): Promise<void> {
  for (const path of [...overlays.map((overlay) => overlay.path), ...files]) await removeFile(inFolder(vm, path));
  await writeLabState(vm.folder, state);
}

/** Beside the image, so that a differencing disk finds its parents from there, too. */
function unreadableCopy(path: string, captureId: string): string {
  const extension = extname(path);
  return join(dirname(path), `${basename(path, extension)}-${captureId}-unreadable${extension}`);
}

/** A copy that ends in its middle: whoever reads on meets an error, as on a failing drive. */
async function makeUnreadable(path: string, copy: string): Promise<string> {
  await copyFile(path, copy, constants.COPYFILE_FICLONE);
  await truncate(copy, Math.floor((await stat(copy)).size / 2));
  return copy;
}
