import { rename } from 'node:fs/promises';
import { basename, dirname, extname, isAbsolute, join, resolve } from 'node:path';
import { pathExists } from 'fs-extra/esm';
import { flushFolder } from '../../lib/durable-files.ts';
import { MabsError } from '../../lib/errors.ts';
import { removeFile } from './durable-json.ts';
import { readFaults } from './faults.ts';
import type { LabContext } from './lab-context.ts';
import { type LabState, type Overlay, topOverlay, writeLabState } from './lab-state.ts';
import { diskPath, type LabVm } from './lab-vm.ts';
import { openPaths } from './open-handles.ts';
import type { DiskDefinition } from './vm-definition.ts';

/** A disk of a format that has no differencing images cannot be captured while its guest may write. */
export class OverlayUnsupportedError extends MabsError {
  readonly code = 'MABS-LAB-DISK-UNSUPPORTED';
  readonly hint = 'Convert the disk with `mabs disk convert` to VHDX, as Hyper-V would require, or turn the VM off.';
  constructor(path: string, format: string) {
    super(`${path} is ${format}: no differencing disk can lie over it`);
  }
}

/** Differencing disks could not be merged; they stay, the guest goes on writing to them, and the merge is tried again. */
export class MergeFailedError extends MabsError {
  readonly code = 'MABS-HOST-MERGE-FAILED';
  readonly hint = 'Nothing is lost: the next job on this VM tries again. Close what has the disk open.';
  constructor(path: string, why: string, options?: ErrorOptions) {
    super(`${path} could not be merged: ${why}`, options);
  }
}

/** What the guest wrote during a capture has no place to go: the disk under it was replaced or removed by somebody. */
export class OverlayOrphanedError extends MabsError {
  readonly code = 'MABS-LAB-OVERLAY-ORPHANED';
  readonly hint =
    'The disk that lies there now counts. What the guest wrote meanwhile is kept in the file named, for you to look at or remove.';
  constructor(parent: string, keptAs: string) {
    super(`${parent} was replaced while a capture lay over it; the guest's writes are kept in ${keptAs}`);
  }
}

/** A path of the state, which is relative to the VM's folder unless it is absolute. */
export function inFolder(vm: Pick<LabVm, 'folder'>, path: string): string {
  return isAbsolute(path) ? path : resolve(vm.folder, path);
}

/** What an image of a disk that is in use lies on: the topmost overlay's path, or the disk's own. */
export function topPath(vm: LabVm, state: LabState, disk: DiskDefinition): string {
  const top = topOverlay(state, disk.path);
  return top ? inFolder(vm, top.path) : diskPath(vm, disk);
}

/** Overlays to lie on every disk of the VM, not made yet. Every disk has to be of a format that can have one. */
export async function planOverlays(lab: LabContext, vm: LabVm, state: LabState, captureId: string): Promise<Overlay[]> {
  return Promise.all(
    vm.definition.disks.map(async (disk): Promise<Overlay> => {
      const parentPath = topPath(vm, state, disk);
      const info = await lab.diskFormats.describe(parentPath);
      if (!lab.diskFormats.get(info.format).mergeIntoParent) throw new OverlayUnsupportedError(parentPath, info.format);
      const stem = basename(diskPath(vm, disk), extname(disk.path));
      const name = `${stem}-${captureId.replace(/[^A-Za-z0-9-]/g, '_')}.${info.format === 'vhd' ? 'avhd' : 'avhdx'}`;
      return {
        disk: disk.path,
        path: besideDisk(disk, name),
        parent: topOverlay(state, disk.path)?.path ?? disk.path,
        ...(info.diskId !== undefined && { parentId: info.diskId }),
        phase: 'creating',
        written: false,
      };
    }),
  );
}

/** Makes the image of a planned overlay, complete and durable. */
export async function makeOverlay(lab: LabContext, vm: LabVm, overlay: Overlay): Promise<void> {
  const parent = resolveParent(vm, overlay);
  const { format } = await lab.diskFormats.describe(parent);
  const path = inFolder(vm, overlay.path);
  await using disk = await lab.diskFormats.get(format).create(path, { sizeBytes: 0, subformat: 'differencing', parent });
  await disk.flush();
  await flushFolder(dirname(path));
}

/** Removes the images of overlays that never came into use. */
export async function dropUnmade(vm: LabVm, state: LabState): Promise<LabState> {
  const unmade = state.overlays.filter(({ phase }) => phase === 'creating');
  if (unmade.length === 0) return state;
  for (const overlay of unmade) await removeFile(inFolder(vm, overlay.path));
  const left = { ...state, overlays: state.overlays.filter(({ phase }) => phase !== 'creating') };
  await writeLabState(vm.folder, left);
  return left;
}

/**
 * Merges every overlay of a VM into what lies under it, topmost first, and removes it. Each step is durable before the next: killed
 * at any instant, the next call goes on. Throws at the first one that cannot be merged now; one that never can be is set aside, and
 * told once the others are merged. No capture may be reading.
 */
export async function mergeOverlays(lab: LabContext, vm: LabVm, before: LabState): Promise<LabState> {
  let state = await dropUnmade(vm, before);
  let orphaned: OverlayOrphanedError | undefined;
  for (let overlay = state.overlays.at(-1); overlay; overlay = state.overlays.at(-1)) {
    try {
      state = await mergeOverlay(lab, vm, state, overlay);
    } catch (error) {
      if (!(error instanceof OverlayOrphanedError)) throw error;
      orphaned = error;
      state = withoutOverlay(state, { ...overlay, written: false });
    }
  }
  if (orphaned) throw orphaned;
  return state;
}

/** Each disk's overlays stand bottom to top in the list, so that the last one of the list is the topmost of its disk. */
async function mergeOverlay(lab: LabContext, vm: LabVm, state: LabState, overlay: Overlay): Promise<LabState> {
  const path = inFolder(vm, overlay.path);
  const parent = resolveParent(vm, overlay);
  const without = withoutOverlay(state, overlay);
  if (!(await pathExists(path))) {
    await writeLabState(vm.folder, without);
    // A merged overlay is removed only after its merge was complete.
    if (overlay.phase === 'active' && overlay.written) throw new OverlayOrphanedError(parent, `${path}, which is gone`);
    return without;
  }
  const [open] = await openPaths([path, parent]);
  if (open !== undefined) throw new MergeFailedError(path, `${open} is open`);
  if ((await readFaults(vm.folder)).has('merge-fails')) throw new MergeFailedError(path, 'the fault merge-fails is on');
  if (overlay.written) {
    if (await parentWasReplaced(lab, overlay, path, parent))
      return setAside(vm, withoutOverlay(state, { ...overlay, written: false }), path, parent);
    await mergeContent(lab, vm, state, overlay, path, parent);
  }
  await removeFile(path);
  await writeLabState(vm.folder, without);
  return without;
}

async function mergeContent(lab: LabContext, vm: LabVm, state: LabState, overlay: Overlay, path: string, parent: string): Promise<void> {
  const { overlays } = withoutOverlay(state, overlay);
  await writeLabState(vm.folder, { ...state, overlays: [...overlays, { ...overlay, phase: 'merging' }] });
  try {
    const { format } = await lab.diskFormats.describe(path, { parent });
    await lab.diskFormats.get(format).mergeIntoParent!(path, { parent, resume: overlay.phase === 'merging' });
  } catch (cause) {
    throw new MergeFailedError(path, (cause as Error).message, { cause });
  }
}

/** The state once an overlay is merged: the overlay under it has got its content. */
function withoutOverlay(state: LabState, overlay: Overlay): LabState {
  const others = state.overlays.filter((other) => other.path !== overlay.path);
  return {
    ...state,
    overlays: others.map((other) => (overlay.written && other.path === overlay.parent ? { ...other, written: true } : other)),
  };
}

/** A merge that was begun has changed the parent's data id already; then only the disk's own id tells. */
async function parentWasReplaced(lab: LabContext, overlay: Overlay, path: string, parent: string): Promise<boolean> {
  if (!(await pathExists(parent))) return true;
  if (overlay.phase === 'merging')
    return overlay.parentId !== undefined && (await lab.diskFormats.describe(parent)).diskId !== overlay.parentId;
  return (await lab.diskFormats.describe(path, { parent })).parent?.status !== 'found';
}

/** What lies under it gets nothing of it, so it does not count as written by this. */
async function setAside(vm: LabVm, without: LabState, path: string, parent: string): Promise<never> {
  const keptAs = `${path}.orphan`;
  await rename(path, keptAs);
  await flushFolder(dirname(path));
  await writeLabState(vm.folder, without);
  throw new OverlayOrphanedError(parent, keptAs);
}

function resolveParent(vm: LabVm, overlay: Overlay): string {
  return overlay.parent === overlay.disk ? diskPath(vm, { path: overlay.disk }) : inFolder(vm, overlay.parent);
}

function besideDisk(disk: DiskDefinition, name: string): string {
  return isAbsolute(disk.path) ? join(dirname(disk.path), name) : join(dirname(disk.path.replaceAll('\\', '/')), name);
}
