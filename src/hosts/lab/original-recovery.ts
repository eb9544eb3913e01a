import { dirname, join, posix } from 'node:path';
import { flushFolder } from '../../lib/durable-files.ts';
import { MabsError } from '../../lib/errors.ts';
import { LockedError } from '../../lib/locks.ts';
import type { HostRecovery, OriginalRecoveryRequest } from '../host.ts';
import { startTracking } from './change-tracking.ts';
import { describeDisks, isCheckpointDisk, type LabDisk } from './inventory.ts';
import { filesOfOld } from './kept-old.ts';
import { type LabContext, lockFolder, stepOnVm } from './lab-context.ts';
import { readLabState, writeLabState } from './lab-state.ts';
import { findVm, type LabVm, readVm, rewriteVm, slashed } from './lab-vm.ts';
import { capturedDefinition } from './new-vm-recovery.ts';
import { inFolder, MergeFailedError } from './overlays.ts';
import { freePath, type RecoveryFacts, recoveryFactsSchema, recoveryMark, removeTargets, targetName } from './recovery-files.ts';
import { livingCaptures, settle } from './settle.ts';

/** User checkpoints on the VM hang on the disks that a recovery would replace. */
export class HostCheckpointsPresentError extends MabsError {
  readonly code = 'MABS-HOST-CHECKPOINTS-PRESENT';
  readonly hint = 'Remove them on the host, or set them aside with the replaced disks: --checkpoints set-aside';
  override readonly kind = 'prerequisite';
  constructor(vm: string) {
    super(`${vm} has host checkpoints, which recovery to original would cut off from their disks`);
  }
}

/** Begins to recover a VM that is still on the host, over itself. */
export async function beginOverVm(lab: LabContext, request: OriginalRecoveryRequest): Promise<HostRecovery> {
  const { definition } = await findVm(lab.name, lab.path, request.vm.id);
  const { problem } = await settle(lab, definition.id);
  const facts = await stepOnVm(lab, definition.id, async (vm) => {
    const state = await readLabState(vm.folder);
    if ((await livingCaptures(lab, state)).length > 0) throw new LockedError(`the VM ${vm.definition.name}`);
    if (state.overlays.length > 0) throw new MergeFailedError(inFolder(vm, state.overlays[0]!.path), problem?.message ?? 'it is in use');
    const disks = await describeDisks(lab.diskFormats, vm);
    if (request.checkpoints === 'refuse' && disks.some(isCheckpointDisk)) throw new HostCheckpointsPresentError(vm.definition.name);
    return planTargets(vm, disks, request);
  });
  const folder = join(lab.path, facts.folderName);
  return {
    vmId: definition.id,
    vmName: definition.name,
    targets: facts.targets.map(({ key, path, format }) => ({ key, format, path: inFolder({ folder }, path) })),
    facts,
    apply: () => swapIn(lab, request, facts),
    abandon: () => abandonRecovery(lab, facts),
  };
}

/**
 * Cleans up after a recovery: what it wrote goes, unless the VM uses it already. The VM's definition is the one thing that says
 * whether the recovery was finished.
 */
export async function abandonRecovery(lab: LabContext, unchecked: unknown): Promise<void> {
  const facts = recoveryFactsSchema.parse(unchecked);
  await using _lock = await lockFolder(lab, facts.folderName);
  const vm = await readVm(lab.path, facts.folderName);
  const used = new Set(vm?.definition.disks.map(({ path }) => path));
  if (facts.targets.some(({ path }) => used.has(path))) return;
  if (vm) {
    const state = await readLabState(vm.folder);
    await writeLabState(vm.folder, { ...state, keptOld: state.keptOld.filter(({ recoveryId }) => recoveryId !== facts.recoveryId) });
  }
  await removeTargets(lab, facts);
}

async function planTargets(
  vm: LabVm,
  disks: readonly LabDisk[],
  { recoveryId, vm: recovered }: OriginalRecoveryRequest,
): Promise<RecoveryFacts> {
  const taken = new Set<string>();
  const targets: RecoveryFacts['targets'] = [];
  for (const { key, path, format } of recovered.disks) {
    const old = disks.find((disk) => disk.key === key);
    const lowest = old && isCheckpointDisk(old) ? (old.parents.at(-1)?.path ?? old.path) : (old?.path ?? path);
    const beside = old ? posix.dirname(slashed(old.definition.path)) : '.';
    const target = await freePath(vm.folder, posix.join(beside, targetName(lowest, format, recoveryMark(recoveryId))), taken);
    taken.add(target.toLowerCase());
    targets.push({ key, path: target, format });
  }
  return { recoveryId, folderName: vm.folderName, madeFolders: [], targets };
}

/** One replace of `vm.json` is the commit: the disks that the VM has before it are kept until their time is over. */
function swapIn(lab: LabContext, request: OriginalRecoveryRequest, facts: RecoveryFacts): ReturnType<HostRecovery['apply']> {
  return stepOnVm(lab, request.vm.id, async (vm) => {
    const state = await readLabState(vm.folder);
    if ((await livingCaptures(lab, state)).length > 0) throw new LockedError(`the VM ${vm.definition.name}`);
    const disks = await describeDisks(lab.diskFormats, vm);
    const replaced = disks.filter(({ key }) => facts.targets.some((target) => target.key === key));
    const detached = disks.filter((disk) => !replaced.includes(disk));
    for (const { path } of facts.targets) {
      await startTracking(inFolder(vm, path), lab.random.uuid());
      await flushFolder(dirname(inFolder(vm, path)));
    }
    const kept = {
      recoveryId: facts.recoveryId,
      until: lab.clock.now() + request.keepOldMs,
      files: replaced.flatMap((disk) => filesOfOld(vm, disk)),
    };
    await writeLabState(vm.folder, { ...state, keptOld: [...state.keptOld, kept] });
    await rewriteVm(vm, definitionAfter(vm, disks, request, facts));
    return {
      paths: facts.targets.map(({ key, path }) => ({ key, path: inFolder(vm, path) })),
      keptOld: [...replaced, ...detached].map(({ path }) => path),
    };
  });
}

/** The VM as it was captured, but for what is the host's affair: its id, its present name, its replication and cluster. */
function definitionAfter(
  vm: LabVm,
  disks: readonly LabDisk[],
  { vm: recovered, start }: OriginalRecoveryRequest,
  facts: RecoveryFacts,
): Record<string, unknown> {
  const { id: _id, name: _name, replication: _replication, cluster: _cluster, ...captured } = capturedDefinition(recovered.configuration);
  const rawDisks = (vm.raw.disks ?? []) as Record<string, unknown>[];
  return {
    ...captured,
    state: start ? 'running' : 'off',
    crashed: undefined,
    disks: facts.targets.map(({ key, path }, position) => {
      const at = disks.findIndex((disk) => disk.key === key);
      const { controller } = recovered.disks[position]!;
      return { ...rawDisks[at], id: disks[at]?.definition.id ?? key, controller, path };
    }),
  };
}
