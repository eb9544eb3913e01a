import { removeExpiredDisks } from './expired-disks.ts';
import { type JobOptions, jobOptions } from './job.ts';
import type { Ports } from './ports.ts';
import { replicate } from './replicate.ts';
import { type MembersOutcome, runMembers } from './run-members.ts';
import { type MemberSelection, selectMembers } from './select-members.ts';

export interface SyncRequest extends MemberSelection, JobOptions {
  /** `later` leaves the read-back of an initial replica to `pool check --depth new`. */
  readonly verify?: 'now' | 'later';
}

/** Brings the replicas of members up to date: everything of a new one, then only what changed. */
export async function sync(ports: Ports, { verify = 'now', ...request }: SyncRequest): Promise<MembersOutcome> {
  const members = await selectMembers(ports, request);
  await removeExpiredDisks(
    ports,
    members.map(({ member }) => member.host),
  );
  return runMembers(ports, 'sync', members, (known, lock) =>
    replicate(ports, known, { ...jobOptions(request), whole: false, verify, freeze: false, lock }),
  );
}
