import { removeExpiredDisks } from './expired-disks.ts';
import { type JobOptions, jobOptions } from './job.ts';
import type { Ports } from './ports.ts';
import { replicate } from './replicate.ts';
import { type MembersOutcome, runMembers } from './run-members.ts';
import { type MemberSelection, selectMembers } from './select-members.ts';

/**
 * Compares the replicas of members with their source, block by block and whatever the tracking says; transfers only what differs,
 * and stores again what the pool lost.
 */
export async function checkConsistency(ports: Ports, request: MemberSelection & JobOptions): Promise<MembersOutcome> {
  const members = await selectMembers(ports, request);
  await removeExpiredDisks(
    ports,
    members.map(({ member }) => member.host),
  );
  return runMembers(ports, 'consistency-check', members, (known, lock) =>
    replicate(ports, known, { ...jobOptions(request), whole: true, verify: 'now', freeze: false, lock }),
  );
}
