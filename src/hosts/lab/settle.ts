import { setTimeout as sleep } from 'node:timers/promises';
import { MabsError, systemErrorCode } from '../../lib/errors.ts';
import { HostVmUnknownError, type ReleaseOutcome } from '../host.ts';
import { removeFile } from './durable-json.ts';
import { captureLockName, type LabContext, stepOnVm } from './lab-context.ts';
import { type CaptureRecord, type LabState, readLabState, writeLabState } from './lab-state.ts';
import { findVm, type LabVm, rewriteVm } from './lab-vm.ts';
import { dropUnmade, inFolder, MergeFailedError, mergeOverlays } from './overlays.ts';

/** Captures of a VM whose process lives; `except` is one that its own process is giving up. */
export async function livingCaptures(lab: LabContext, state: LabState, except?: string): Promise<CaptureRecord[]> {
  const others = state.captures.filter(({ id }) => id !== except);
  const held = await Promise.all(others.map(({ id }) => lab.locks.isHeld(captureLockName(id))));
  return others.filter((_, index) => held[index]);
}

/**
 * Ends what captures left whose process died: a VM that was held runs again, files made for them go. Within a step. Overlays stay
 * for `mergeOverlays`.
 */
export async function endDeadCaptures(lab: LabContext, vm: LabVm, state: LabState, givenUp?: string): Promise<LabState> {
  const living = await livingCaptures(lab, state, givenUp);
  const dead = state.captures.filter((capture) => !living.includes(capture));
  if (dead.length === 0) return state;
  for (const { resumeTo, files } of dead) {
    if (resumeTo !== undefined && ['paused', 'saved'].includes(vm.definition.state)) await rewriteVm(vm, { state: resumeTo });
    for (const file of files) await removeFile(inFolder(vm, file));
  }
  const left = { ...(await dropUnmade(vm, state)), captures: living };
  await writeLabState(vm.folder, left);
  for (const { id } of dead) if (id !== givenUp) await lab.locks.forget?.(captureLockName(id));
  return left;
}

/**
 * Ends dead captures and merges what they left, as far as that can be done at once: overlays that cannot be merged stay in use.
 * Within a step. An interrupted merge must be finished before anything else is done with the disk: throws when that fails.
 */
export async function comeToRest(lab: LabContext, found: LabVm, givenUp?: string): Promise<{ vm: LabVm; state: LabState }> {
  const state = await endDeadCaptures(lab, found, await readLabState(found.folder), givenUp);
  const vm = await findVm(lab.name, lab.path, found.definition.id);
  if (state.overlays.length === 0 || state.captures.length > 0) return { vm, state };
  try {
    return { vm, state: await mergeOverlays(lab, vm, state) };
  } catch (error) {
    const left = await readLabState(vm.folder);
    if (!(error instanceof MabsError) || left.overlays.some(({ phase }) => phase === 'merging')) throw error;
    return { vm, state: left };
  }
}

/**
 * Brings a VM back to rest: dead captures end, and overlays are merged unless a living capture reads under them. A merge that fails
 * is tried again for a while, outside of a step, and then told. Of a VM that is gone nothing is left. `givenUp`: the caller's own
 * capture.
 */
export async function settle(lab: LabContext, vmId: string, givenUp?: string): Promise<ReleaseOutcome> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await stepOnVm(lab, vmId, (vm) => settleOnce(lab, vm, givenUp));
    } catch (error) {
      if (error instanceof HostVmUnknownError) return { merged: true };
      const told = systemErrorCode(error) ? new MergeFailedError(vmId, (error as Error).message, { cause: error }) : error;
      if (!(told instanceof MabsError)) throw error;
      const pause = told instanceof MergeFailedError ? lab.mergeRetriesMs[attempt] : undefined;
      if (pause === undefined) return { merged: false, problem: { code: told.code, message: told.message, hint: told.hint } };
      await sleep(pause);
    }
  }
}

async function settleOnce(lab: LabContext, vm: LabVm, givenUp: string | undefined): Promise<ReleaseOutcome> {
  const state = await endDeadCaptures(lab, vm, await readLabState(vm.folder), givenUp);
  const [other] = state.captures;
  if (other && state.overlays.length > 0)
    throw new MergeFailedError(inFolder(vm, state.overlays[0]!.path), `the capture ${other.id} of another job reads under it`);
  await mergeOverlays(lab, vm, state);
  return { merged: true };
}
