import { MabsError } from '../../lib/errors.ts';
import type { VmDefinition } from './vm-definition.ts';

/** Hyper-V Replica is in the middle of something that a backup would read half of, or disturb. */
export class ReplicaStateError extends MabsError {
  readonly code = 'MABS-REPLICA-STATE';
  readonly hint = 'Let the replication come to rest (Get-VMReplication shows it), then run the job again.';
  constructor(vm: string, why: string) {
    super(`${vm} cannot be backed up now: ${why}`);
  }
}

/**
 * States in which a replica's disks are not those of any one time, with the reason. Names are those of Get-VMReplication and those
 * of Msvm_ReplicationRelationship, without blanks, in lower case; numbers mean different things in the two and are not looked at.
 */
const REFUSED_FOR_REPLICA: Readonly<Record<string, string>> = {
  readyforinitialreplication: 'its initial replication has not been done',
  readyforreplication: 'its initial replication has not been done',
  initialreplicationinprogress: 'its initial replication is running',
  waitingforinitialreplication: 'its initial replication has not been done',
  waitingtocompleteinitialreplication: 'its initial replication is running',
  waitingforstartresynchronize: 'its replica has to be resynchronized',
  waitingtostartresynchronization: 'its replica has to be resynchronized',
  resynchronizing: 'its replica is being resynchronized',
  resynchronizesuspended: 'its resynchronization is suspended',
  resynchronizationsuspended: 'its resynchronization is suspended',
  recoveryinprogress: 'a failover is in progress',
  failoverinprogress: 'a failover is in progress',
  failedoverwaitingcompletion: 'a failover waits to be completed',
  failbackinprogress: 'a failback is in progress',
  waitingforupdatecompletion: 'its disks are being updated',
  diskupdateinprogress: 'its disks are being updated',
  updateerror: 'an update of its disks failed',
  diskupdatecritical: 'an update of its disks failed',
  waitingforrepurposecompletion: 'its replica is being repurposed',
  repurposereplicationinprogress: 'its replica is being repurposed',
  applyinglog: 'received changes are being applied',
};

/** A checkpoint during the initial replication of a primary has made chains that could not be merged any more. */
const REFUSED_FOR_PRIMARY = ['initialreplicationinprogress', 'waitingforinitialreplication', 'waitingtocompleteinitialreplication'];

/** Whether the VM receives the replication of another host's VM; it is then off, and its disks are at best crash-consistent. */
export function isReplica({ replication }: Pick<VmDefinition, 'replication'>): boolean {
  return ['replica', 'extendedreplica'].includes(plain(replication?.mode));
}

/** Throws MABS-REPLICA-STATE where Hyper-V Replica forbids a backup now. */
export function checkReplication(definition: VmDefinition & { readonly name: string }): void {
  const { name, replication } = definition;
  if (!replication) return;
  const state = plain(replication.state);
  if (isReplica(definition)) {
    const why = plain(replication.health) === 'critical' ? 'the health of its replication is critical' : REFUSED_FOR_REPLICA[state];
    if (why !== undefined) throw new ReplicaStateError(name, why);
  } else if (plain(replication.mode) === 'primary' && REFUSED_FOR_PRIMARY.includes(state)) {
    throw new ReplicaStateError(name, 'its initial replication is running');
  }
}

function plain(word: string | undefined): string {
  return (word ?? '').toLowerCase().replace(/[^a-z]/g, '');
}
