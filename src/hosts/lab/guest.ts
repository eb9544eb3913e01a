import type { WritableDisk } from '../../disks/disk-format.ts';
import { checkDiskRange, type DiskSource } from '../../disks/disk-source.ts';
import { MabsError } from '../../lib/errors.ts';
import type { VmState } from '../../model/consistency.ts';
import type { GuestPiece, GuestWrite, GuestWriteReport, VmAction } from '../host.ts';
import { appendTracking } from './change-tracking.ts';
import { describeDisks, type LabDisk } from './inventory.ts';
import { type LabContext, stepOnVm } from './lab-context.ts';
import { type LabState, type Overlay, topOverlay, writeLabState } from './lab-state.ts';
import { type LabVm, rewriteVm } from './lab-vm.ts';
import { dropUnmade, inFolder, makeOverlay, planOverlays } from './overlays.ts';
import { comeToRest, livingCaptures } from './settle.ts';

const LARGEST_ZERO_PIECE = 64 * 1024 ** 2;

/** No disk of the VM answers to this name. */
export class LabDiskUnknownError extends MabsError {
  readonly code = 'MABS-LAB-DISK-UNKNOWN';
  readonly hint = 'Name a disk by its position (disk0, disk1, …) or by its id or path in vm.json.';
  constructor(vm: string, disk: string) {
    super(`${vm} has no disk ${JSON.stringify(disk)}`);
  }
}

/** What was asked of a VM is not possible from the state in which it is. */
export class LabStateChangeError extends MabsError {
  readonly code = 'MABS-LAB-STATE';
  readonly hint = 'See the state with `mabs vm list`; `mabs lab start` starts a VM.';
  constructor(vm: string, state: VmState, action: VmAction) {
    super(`${vm} is ${state}: it cannot ${action}`);
  }
}

/** From which states an action leads where; from its own goal it leads nowhere. */
const ACTIONS: Readonly<Record<VmAction, { readonly from: readonly VmState[]; readonly to: VmState }>> = {
  start: { from: ['off', 'saved', 'paused'], to: 'running' },
  stop: { from: ['running', 'paused', 'saved'], to: 'off' },
  save: { from: ['running', 'paused'], to: 'saved' },
  pause: { from: ['running'], to: 'paused' },
  crash: { from: ['running', 'paused'], to: 'off' },
};

/** Changes a VM's state in one step. A capture that reads the disks of a VM that was not running reads on what it began with. */
export function setVmState(lab: LabContext, vmId: string, action: VmAction): Promise<{ vm: string; from: VmState; to: VmState }> {
  return stepOnVm(lab, vmId, async (found) => {
    const { vm, state } = await comeToRest(lab, found);
    const { name, state: from, crashed } = vm.definition;
    const { from: allowed, to } = ACTIONS[action];
    if (from !== to && !allowed.includes(from)) throw new LabStateChangeError(name, from, action);
    if (to === 'running' && from !== to) await protectReaders(lab, vm, state);
    const isCrash = action === 'crash' && from !== to;
    if (from !== to || (crashed && action === 'stop'))
      await rewriteVm(vm, { state: to, ...((isCrash || crashed) && { crashed: isCrash }) });
    return { vm: name, from, to };
  });
}

/**
 * Writes to a virtual disk as its guest would, in one step: to the disk, or to the differencing disk over it while a capture reads
 * the disk. Tracking learns of the ranges first, so that a kill in the middle leaves too many of them, never too few.
 */
export function writeAsGuest(lab: LabContext, vmId: string, write: GuestWrite): Promise<GuestWriteReport> {
  return stepOnVm(lab, vmId, async (found) => {
    const { vm, state: rested } = await comeToRest(lab, found);
    const disks = await describeDisks(lab.diskFormats, vm);
    const index = findDisk(vm, disks, write.disk);
    const disk = disks[index]!;
    const state = await protectReaders(lab, vm, rested);
    const top = topOverlay(state, disk.definition.path);
    const path = top ? inFolder(vm, top.path) : disk.path;
    await using image = await lab.diskFormats.openForWriting(path);
    for (const piece of write.pieces) checkDiskRange(disk.path, piece, image.sizeBytes);
    if (top && !top.written) await markWritten(vm, state, top);
    const trackingId = await appendTracking(disk.path, write.pieces, lab.random.uuid());
    for (const piece of write.pieces) await writePiece(image, piece);
    await image.flush();
    const bytesWritten = write.pieces.reduce((sum, { length }) => sum + length, 0);
    const report = { vm: vm.definition.name, disk: `disk${index}`, key: disk.key, bytesWritten, pieces: write.pieces.length, path };
    return { ...report, ...(trackingId !== undefined && { trackingId }) };
  });
}

/** Before a guest can write, overlays go over the disks that a living capture reads as they lie. */
async function protectReaders(lab: LabContext, vm: LabVm, before: LabState): Promise<LabState> {
  const state = await dropUnmade(vm, before);
  const reading = (await livingCaptures(lab, state)).find(({ kind }) => kind === 'as-it-lies');
  if (!reading) return state;
  const overlays = await planOverlays(lab, vm, state, reading.id);
  await writeLabState(vm.folder, { ...state, overlays: [...state.overlays, ...overlays] });
  for (const overlay of overlays) await makeOverlay(lab, vm, overlay);
  const captures = state.captures.map((capture) => (capture === reading ? { ...capture, kind: 'frozen' as const } : capture));
  const made = overlays.map((overlay): Overlay => ({ ...overlay, phase: 'active' }));
  const active: LabState = { ...state, captures, overlays: [...state.overlays, ...made] };
  await writeLabState(vm.folder, active);
  return active;
}

async function markWritten(vm: LabVm, state: LabState, top: Overlay): Promise<void> {
  await writeLabState(vm.folder, {
    ...state,
    overlays: state.overlays.map((overlay) => (overlay === top ? { ...overlay, written: true } : overlay)),
  });
}

async function writePiece(image: WritableDisk & DiskSource, { offset, length, content }: GuestPiece): Promise<void> {
  if (content !== 'zero') return image.write(offset, await content.read());
  for (let done = 0; done < length; done += LARGEST_ZERO_PIECE)
    await image.writeZeros({ offset: offset + done, length: Math.min(LARGEST_ZERO_PIECE, length - done) });
}

function findDisk(vm: LabVm, disks: readonly LabDisk[], wanted: string): number {
  const byKey = disks.findIndex(({ key, definition }) => key === wanted || definition.path === wanted);
  const position = /^(?:disk)?(\d{1,3})$/.exec(wanted);
  const index = byKey < 0 && position ? Number(position[1]) : byKey;
  if (!disks[index]) throw new LabDiskUnknownError(vm.definition.name, wanted);
  return index;
}
