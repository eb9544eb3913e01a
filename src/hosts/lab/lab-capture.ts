import type { DiskFormats } from '../../disks/disk-format.ts';
import type { ByteRange } from '../../lib/byte-range.ts';
import { MabsError } from '../../lib/errors.ts';
import type { Capture, CapturedDisk, ChangedRanges, HostVm, ReleaseOutcome } from '../host.ts';
import type { FrozenDisk, FrozenVm } from './capture.ts';
import { changesSince } from './change-tracking.ts';
import { hostVmOf } from './inventory.ts';
import type { LabContext } from './lab-context.ts';
import { settle } from './settle.ts';

/** Called before the host answers anything about a VM; throws when the fault `host-gone` says that it no longer does. */
export type CallCheck = () => Promise<void>;

/** The frozen VM as the host port shows it. */
export function openCapture(lab: LabContext, id: string, frozen: FrozenVm, checkCall: CallCheck): Capture {
  const vm: HostVm = hostVmOf(
    frozen.vm,
    frozen.disks.map(({ disk }) => disk),
  );
  let released: Promise<ReleaseOutcome> | undefined;
  return {
    id,
    vm,
    capturedAt: frozen.capturedAt,
    consistency: frozen.plan.consistency,
    ...(frozen.plan.reason !== undefined && { consistencyReason: frozen.plan.reason }),
    disks: frozen.disks.map((disk, index) => capturedDisk(lab.diskFormats, frozen, disk, index, checkCall)),
    configurationFiles: [{ name: 'vm.json', bytes: frozen.vm.bytes }],
    release: () => {
      released ??= release(lab, id, frozen, checkCall);
      return released;
    },
  };
}

function capturedDisk(
  diskFormats: DiskFormats,
  frozen: FrozenVm,
  { disk, frozenPath, tracking }: FrozenDisk,
  index: number,
  checkCall: CallCheck,
): CapturedDisk {
  const lost = frozen.faults.has('tracking-lost');
  const state = lost ? { unknown: 'change tracking was lost' } : tracking;
  return {
    key: disk.key,
    index,
    controller: disk.controller,
    path: disk.path,
    frozenPath,
    format: disk.format,
    ...('tracking' in state && { trackingId: state.tracking.current }),
    async changedSince(baseId): Promise<ChangedRanges> {
      await checkCall();
      const virtualSize = disk.info?.virtualSize ?? (await diskFormats.describe(frozenPath)).virtualSize;
      const changes = changesSince(state, baseId, virtualSize);
      return 'ranges' in changes && frozen.faults.has('tracking-lies') ? { ranges: everySecond(changes.ranges) } : changes;
    },
  };
}

/** Lets go of the capture: whatever happens, the process no longer counts as one that reads. */
async function release(lab: LabContext, id: string, { vm, lock }: FrozenVm, checkCall: CallCheck): Promise<ReleaseOutcome> {
  try {
    await checkCall();
    return await settle(lab, vm.definition.id, id);
  } catch (error) {
    if (!(error instanceof MabsError)) throw error;
    return { merged: false, problem: { code: error.code, message: error.message, hint: error.hint } };
  } finally {
    await lock[Symbol.asyncDispose]();
    await lab.locks.forget?.(lock.name);
  }
}

function everySecond(ranges: readonly ByteRange[]): ByteRange[] {
  return ranges.filter((_, index) => index % 2 === 1);
}
