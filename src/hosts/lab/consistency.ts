import { MabsError } from '../../lib/errors.ts';
import type { Consistency, ConsistencyPolicy, WhenNotOnline } from '../../model/consistency.ts';
import type { Faults } from './faults.ts';
import { isReplica } from './replication.ts';
import type { VmDefinition } from './vm-definition.ts';

/** The group requires application consistency, and the guest cannot give it now. */
export class ConsistencyNotMetError extends MabsError {
  readonly code = 'MABS-CONSISTENCY-NOT-MET';
  readonly hint = 'Mend what stands in the way, or let the group take less: mabs protect --group NAME --consistency prefer-application';
  constructor(vm: string, why: string) {
    super(`${vm} cannot be captured application-consistently: ${why}`);
  }
}

/** The guest cannot do an online backup, and the group says to fail then. */
export class VmNotOnlineError extends MabsError {
  readonly code = 'MABS-VM-NOT-ONLINE';
  readonly hint =
    'Install or start its integration services, or let the group handle it: mabs protect --group NAME --when-not-online pause';
  constructor(vm: string, why: string) {
    super(`${vm} cannot be backed up online: ${why}`);
  }
}

/**
 * How a VM is captured, and what that guarantees. `online`: an overlay while the VM stays as it is. `pause`, `save`: held for the
 * moment in which the overlay is made. `as-it-lies`: its disks are not in use and are read without an overlay.
 */
export interface CapturePlan {
  readonly way: 'online' | 'pause' | 'save' | 'as-it-lies';
  readonly consistency: Consistency;
  /** Why it is less than application consistency, where more was asked for. */
  readonly reason?: string;
}

export interface CaptureWish {
  readonly consistency: ConsistencyPolicy;
  readonly whenNotOnline: WhenNotOnline;
}

/** Decides how to capture a VM. Less than what the policy requires is refused, never taken silently. */
export function planCapture(definition: VmDefinition & { readonly name: string }, faults: Faults, wish: CaptureWish): CapturePlan {
  const { name, state, crashed } = definition;
  if (isReplica(definition))
    return lowered(name, wish, state === 'running' ? 'online' : 'as-it-lies', 'a replica of Hyper-V Replica is crash-consistent only');
  if (state === 'off' && crashed) return lowered(name, wish, 'as-it-lies', 'the guest lost its power and was not started since');
  if (state === 'off') return { way: 'as-it-lies', consistency: 'offline' };
  if (state === 'saved') return lowered(name, wish, 'as-it-lies', 'the VM is saved: what its memory held is not on its disks');
  if (state === 'paused') return lowered(name, wish, 'online', 'the VM is paused: what its memory held is not on its disks');
  if (wish.consistency === 'crash') return { way: 'online', consistency: 'crash' };
  return planRunning(definition, faults, wish);
}

/** What a capture would guarantee under `prefer-application`, for listings. */
export function onlineConsistency(definition: VmDefinition): Consistency {
  const wish: CaptureWish = { consistency: 'prefer-application', whenNotOnline: 'pause' };
  return planCapture({ ...definition, name: '' }, new Map(), wish).consistency;
}

function planRunning(definition: VmDefinition & { readonly name: string }, faults: Faults, wish: CaptureWish): CapturePlan {
  const { name, os } = definition;
  const why = whyNotOnline(definition);
  if (why !== undefined) {
    if (wish.whenNotOnline === 'fail') throw new VmNotOnlineError(name, why);
    return lowered(name, wish, wish.whenNotOnline === 'crash' ? 'online' : wish.whenNotOnline, why);
  }
  if (faults.has('vss-fails'))
    return lowered(name, wish, 'online', os === 'linux' ? 'fsfreeze in the guest failed' : "the guest's VSS answered with an error");
  if (os === 'linux') return { way: 'online', consistency: 'file', reason: 'a Linux guest is at best file-consistent' };
  return { way: 'online', consistency: 'application' };
}

function whyNotOnline({ os, integrationServices }: VmDefinition): string | undefined {
  if (!integrationServices) return 'the guest has no integration services';
  if (!integrationServices.vss) return 'the backup integration service is not available in the guest';
  return os === 'other' ? 'its operating system cannot prepare itself for a backup' : undefined;
}

function lowered(vm: string, { consistency }: CaptureWish, way: CapturePlan['way'], reason: string): CapturePlan {
  if (consistency === 'require-application') throw new ConsistencyNotMetError(vm, reason);
  return { way, consistency: 'crash', ...(consistency !== 'crash' && { reason }) };
}
