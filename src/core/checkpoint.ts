import { MabsError, throwIfAborted } from '../lib/errors.ts';
import { removeExpiredDisks } from './expired-disks.ts';
import { freezeReplica } from './freeze-replica.ts';
import { type KnownMember, vmLabel } from './groups.ts';
import { jobOptions } from './job.ts';
import { requireNextNumber } from './lost-manifests.ts';
import { NO_TRANSFER } from './member-report.ts';
import type { Ports } from './ports.ts';
import { replicate } from './replicate.ts';
import { type MembersOutcome, runMembers } from './run-members.ts';
import { selectMembers } from './select-members.ts';
import type { SyncRequest } from './sync.ts';
import { findReplica } from './vault.ts';
import { verifiedAt, verifiedRecords } from './verified.ts';

export interface CheckpointRequest extends SyncRequest {
  /** Freeze the replica as it is instead of bringing it up to date first. */
  readonly noSync?: boolean;
}

export class ReplicaMissingError extends MabsError {
  readonly code = 'MABS-REPLICA-MISSING';
  readonly hint: string;
  constructor(vm: string) {
    super(`${vm} has no replica yet, so there is nothing to make a recovery point of`);
    this.hint = `Make one first: mabs sync ${vm}`;
  }
}

/** Makes a recovery point of each member's replica; by default the replica is brought up to date first. */
export async function checkpoint(ports: Ports, { verify = 'now', noSync = false, ...request }: CheckpointRequest): Promise<MembersOutcome> {
  const members = await selectMembers(ports, request);
  if (!noSync)
    await removeExpiredDisks(
      ports,
      members.map(({ member }) => member.host),
    );
  return runMembers(ports, 'checkpoint', members, (known, lock) => {
    throwIfAborted(request.signal);
    if (noSync) return freezeAsItIs(ports, known);
    return replicate(ports, known, { ...jobOptions(request), whole: false, verify, freeze: true, lock });
  });
}

async function freezeAsItIs(ports: Ports, { member, poolName }: KnownMember) {
  const pool = await ports.openPool(poolName);
  await requireNextNumber(ports, pool, poolName);
  const found = await findReplica(ports, pool.info.id, member.datasource);
  if (!found) throw new ReplicaMissingError(vmLabel(member));
  const replica = found.manifest;
  const verified = verifiedAt(replica, await verifiedRecords(ports, pool.info.id));
  await using writer = await pool.beginWrite();
  const { manifest } = await freezeReplica(ports, pool, writer, verified === undefined ? replica : { ...replica, verifiedAt: verified });
  return {
    ...NO_TRANSFER,
    vmName: replica.vm.name,
    consistency: replica.consistency,
    tracking: replica.tracking,
    ...(replica.trackingReason === undefined ? {} : { trackingReason: replica.trackingReason }),
    verified: verified !== undefined,
    replicaId: replica.id,
    pointId: manifest.id,
  };
}
