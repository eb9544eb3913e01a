import { rm } from 'node:fs/promises';
import { LockedError } from '../lib/locks.ts';
import { raiseAlert, resolveAlert } from './alerts.ts';
import type { JournalEntry, Ports } from './ports.ts';

/** An alert about what a job left on a host and that could not be removed yet. */
export const LEFTOVER_ALERT = 'MABS-HOST-LEFTOVER';

/** An alert about a snapshot that the host did not merge back yet. */
export const MERGE_ALERT = 'MABS-MERGE-PENDING';

/**
 * Cleans up after jobs that died: every journal entry whose lock nobody holds. Called by each job before it starts; what cannot be
 * cleaned now (the host is away) stays in the journal, raises an alert, and never stops the job that came along.
 */
export async function cleanLeftovers(ports: Ports): Promise<void> {
  for (const entry of await ports.home.journal.list()) {
    if (await ports.locks.isHeld(entry.lock)) continue;
    try {
      await using _lock = await ports.locks.acquire(entry.lock, { what: subjectOf(entry), waitMs: 0 });
      await cleanEntry(ports, entry.id);
    } catch (error) {
      // Its owner came back between the two looks.
      if (!(error instanceof LockedError)) throw error;
    }
  }
}

/** The same for entries under a lock that the caller holds. */
export async function cleanOwnLeftovers(ports: Ports, lock: string): Promise<void> {
  for (const entry of await ports.home.journal.list()) {
    if (entry.lock === lock) await cleanEntry(ports, entry.id);
  }
}

async function cleanEntry(ports: Ports, id: string): Promise<void> {
  // Read again under the lock: another process may have cleaned it meanwhile.
  const entry = (await ports.home.journal.list()).find((other) => other.id === id);
  if (!entry) return;
  try {
    const problem = await undo(ports, entry);
    if (problem) {
      await raiseAlert(ports, { ...problem, code: LEFTOVER_ALERT, severity: 'warning', subject: subjectOf(entry) });
      return;
    }
    await ports.home.journal.remove(entry.id);
    for (const alert of [LEFTOVER_ALERT, MERGE_ALERT]) await resolveAlert(ports, alert, subjectOf(entry));
  } catch (error) {
    await raiseAlert(ports, {
      code: LEFTOVER_ALERT,
      severity: 'warning',
      subject: subjectOf(entry),
      message: `what a ${entry.kind} of ${entry.at} left behind could not be removed: ${messageOf(error)}`,
      hint: 'Each job tries again. See that the host can be reached: mabs host check',
    });
  }
}

async function undo(ports: Ports, entry: JournalEntry): Promise<{ message: string; hint: string } | undefined> {
  if (entry.host === '') {
    for (const file of filesOf(entry)) await rm(file, { force: true, recursive: true });
    return undefined;
  }
  const host = await ports.openHost(entry.host);
  if (entry.kind === 'recovery') {
    await host.abandonLeftover(entry.facts);
    return undefined;
  }
  const { merged, problem } = await host.releaseLeftover({ captureId: entry.id, vmId: entry.vmId, facts: entry.facts });
  if (merged) return undefined;
  return problem ?? { message: 'the host did not merge the capture’s snapshot yet', hint: 'Each job tries again.' };
}

/** Unfinished files of a recovery to a folder. */
function filesOf({ facts }: JournalEntry): string[] {
  return Array.isArray(facts.files) ? facts.files.filter((file) => typeof file === 'string') : [];
}

function subjectOf({ host, vmName }: JournalEntry): string {
  return host === '' ? vmName : `${host}/${vmName}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
