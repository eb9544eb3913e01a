import type { Capture, Host, ReleaseOutcome } from '../hosts/host.ts';
import { isoUtc } from '../lib/times.ts';
import type { GroupMember, Policy } from '../model/group.ts';
import { raiseAlert, resolveAlert } from './alerts.ts';
import { failureOf } from './job.ts';
import { cleanOwnLeftovers, LEFTOVER_ALERT, MERGE_ALERT } from './leftovers.ts';
import type { Ports } from './ports.ts';

export interface CaptureOrder {
  readonly host: Host;
  readonly member: GroupMember;
  readonly policy: Policy;
  /** The lock that the caller holds while the capture lives. */
  readonly lock: string;
  readonly signal?: AbortSignal;
}

/**
 * Runs with a capture of a VM, and gives it up again whatever happens. The intent is journaled before the host is asked, then what
 * the host made, so that a later run can name what this one leaves should it die. `run` calls `committed` when the backup is
 * stored. A merge that failed does not fail the backup: it is told by an alert and tried again by the next job.
 */
export async function withCapture<T>(
  ports: Ports,
  order: CaptureOrder,
  run: (capture: Capture, committed: () => void) => Promise<T>,
): Promise<T> {
  const { host, member, policy, lock, signal } = order;
  const captureId = ports.random.uuid();
  const intent = {
    id: captureId,
    kind: 'capture',
    host: host.name,
    vmId: member.vmId,
    vmName: member.vmName,
    at: isoUtc(ports.clock.now()),
    lock,
  } as const;
  await ports.home.journal.put({ ...intent, facts: {} });
  const request = {
    captureId,
    consistency: policy.consistency,
    whenNotOnline: policy.whenNotOnline,
    journal: (facts: Readonly<Record<string, unknown>>) => ports.home.journal.put({ ...intent, facts }),
    ...(signal ? { signal } : {}),
  };
  const capture = await host.capture(member.vmId, request).catch(async (error: unknown) => {
    await cleanOwnLeftovers(ports, lock);
    throw error;
  });
  let stored = false;
  try {
    return await run(capture, () => {
      stored = true;
    });
  } finally {
    await giveUp(ports, capture, `${host.name}/${capture.vm.name}`, stored);
  }
}

async function giveUp(ports: Ports, capture: Capture, subject: string, committed: boolean): Promise<void> {
  const outcome = await capture.release({ committed }).catch((error: unknown): ReleaseOutcome => {
    const { message, hint } = failureOf(error);
    return { merged: false, problem: { code: MERGE_ALERT, message, hint } };
  });
  if (outcome.merged) {
    await ports.home.journal.remove(capture.id);
    await resolveAlert(ports, MERGE_ALERT, subject);
    await resolveAlert(ports, LEFTOVER_ALERT, subject);
    return;
  }
  await raiseAlert(ports, {
    code: MERGE_ALERT,
    severity: 'warning',
    subject,
    message: outcome.problem?.message ?? 'the host did not merge the capture’s snapshot yet',
    hint: outcome.problem?.hint ?? 'The next job on this VM tries again.',
  });
}
