/** What a capture guarantees about the guest's data, strongest first; `offline`: the guest was shut down. */
export type Consistency = 'application' | 'file' | 'crash' | 'offline';

/** How changed ranges were found, weakest last. */
export type Tracking = 'initial' | 'rct' | 'scan';

/** What a group asks of a capture. */
export type ConsistencyPolicy = 'require-application' | 'prefer-application' | 'crash';

/** What happens to a running VM whose guest cannot do an online backup. */
export type WhenNotOnline = 'pause' | 'save' | 'crash' | 'fail';

export type VmState = 'running' | 'off' | 'saved' | 'paused';

/** The tracking of a VM is the weakest of its disks'. */
export function weakestTracking(trackings: readonly Tracking[]): Tracking {
  if (trackings.includes('scan')) return 'scan';
  return trackings.includes('initial') ? 'initial' : 'rct';
}
