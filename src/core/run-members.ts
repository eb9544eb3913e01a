import type { JobState } from '../catalogs/catalog.ts';
import { MabsError } from '../lib/errors.ts';
import { raiseAlert, resolveAlert } from './alerts.ts';
import { type KnownMember, vmLabel } from './groups.ts';
import { type Failure, failureOf, firstCause, isInterruption, runJob } from './job.ts';
import { cleanLeftovers, cleanOwnLeftovers } from './leftovers.ts';
import { type MemberReport, NO_TRANSFER } from './member-report.ts';
import type { Ports } from './ports.ts';

/** What `sync`, `checkpoint` and `consistency-check` print. */
export interface MembersReport {
  readonly members: readonly MemberReport[];
  /** When no member succeeded: what stopped the first of them. */
  readonly error?: Failure;
}

export interface MembersOutcome {
  readonly report: MembersReport;
  /** What was thrown for each member that failed. */
  readonly failures: readonly unknown[];
}

type MemberRun = (
  known: KnownMember,
  lock: string,
) => Promise<Omit<MemberReport, 'vm' | 'status' | 'durationMs'> & { readonly vmName: string }>;

/** An alert about a VM whose last job of a kind failed. */
export const JOB_FAILED_ALERT = 'MABS-JOB-FAILED';

/** The lock under which one process at a time works on a VM. */
export function vmLock(datasource: string): string {
  return `vm-${datasource}`;
}

/**
 * Works on one member after the other, each under its VM's lock. One that fails does not stop the others; somebody who asks to stop
 * does.
 */
export async function runMembers(ports: Ports, kind: string, members: readonly KnownMember[], run: MemberRun): Promise<MembersOutcome> {
  await cleanLeftovers(ports);
  const failures: unknown[] = [];
  const report = await runJob(
    ports,
    { kind, subjects: members.map(({ member }) => vmLabel(member)) },
    async (): Promise<MembersReport> => {
      const reports: MemberReport[] = [];
      for (const known of members) reports.push(await runMember(ports, kind, known, run, failures));
      const isHopeless = reports.length > 0 && reports.every(({ status }) => status === 'failed');
      return { members: reports, ...(isHopeless ? { error: reports[0]!.error! } : {}) };
    },
    stateOf,
  );
  return { report, failures };
}

async function runMember(ports: Ports, kind: string, known: KnownMember, run: MemberRun, failures: unknown[]): Promise<MemberReport> {
  const { clock, locks, waitMs } = ports;
  const started = clock.now();
  const vm = vmLabel(known.member);
  const name = vmLock(known.member.datasource);
  try {
    await using lock = await locks.acquire(name, { what: vm, waitMs });
    await cleanOwnLeftovers(ports, lock.name);
    const { vmName, ...rest } = await run(known, lock.name);
    await resolveAlert(ports, JOB_FAILED_ALERT, vm);
    return { vm: `${known.member.host}/${vmName}`, status: 'ok', ...rest, durationMs: clock.now() - started };
  } catch (error) {
    if (isInterruption(error)) throw error;
    failures.push(error);
    await tellFailure(ports, kind, vm, error);
    return { vm, status: 'failed', ...NO_TRANSFER, durationMs: clock.now() - started, error: failureOf(error) };
  }
}

async function tellFailure(ports: Ports, kind: string, vm: string, thrown: unknown): Promise<void> {
  const error = firstCause(thrown);
  // Another process at work on the VM is no cause for alarm.
  if (error instanceof MabsError && (error.kind === 'locked' || error.kind === 'usage')) return;
  const { message, hint } = failureOf(error);
  await raiseAlert(ports, { code: JOB_FAILED_ALERT, severity: 'warning', subject: vm, message: `${kind} failed: ${message}`, hint });
}

function stateOf({ members }: MembersReport): JobState {
  const failed = members.filter(({ status }) => status === 'failed').length;
  if (failed === 0) return 'ok';
  return failed === members.length ? 'failed' : 'partly';
}
