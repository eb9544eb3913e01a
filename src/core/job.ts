import type { Job, JobState } from '../catalogs/catalog.ts';
import { MabsError, systemErrorCode } from '../lib/errors.ts';
import { isoUtc } from '../lib/times.ts';
import type { Ports } from './ports.ts';

/** Progress of one step of a job. */
export type OnStep = (progress: { readonly label: string; readonly doneBytes?: number; readonly totalBytes?: number }) => void;

export interface JobOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: OnStep;
}

/** A failure as reports and `--json` show it. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** The error that began it: what failed while cleaning up after it is the lesser news. */
export function firstCause(thrown: unknown): unknown {
  let error = thrown;
  while (error instanceof SuppressedError) error = error.suppressed;
  return error;
}

/** A failure in words, of whatever was thrown. */
export function failureOf(thrown: unknown): Failure {
  const error = firstCause(thrown);
  if (error instanceof MabsError) return { code: error.code, message: error.message, hint: error.hint };
  const message = error instanceof Error ? error.message : String(error);
  const isOfDatabase = (error as { code?: unknown } | undefined)?.code === 'ERR_SQLITE_ERROR';
  if (systemErrorCode(error) || isOfDatabase)
    return { code: 'MABS-SYSTEM', message, hint: 'Check the path, its volume and your rights on it.' };
  return { code: 'MABS-INTERNAL', message, hint: 'Run it again with --debug and report what it prints.' };
}

/** Name of the lock that a job holds while it runs: when it is free, the job's process is gone. */
export function jobLock(id: string): string {
  return `job-${id}`;
}

/**
 * Keeps a row of a job from its start to its end, whatever the end is. `stateOf` says how a job ended that threw nothing.
 */
export async function runJob<T>(
  ports: Ports,
  { kind, subjects }: Pick<Job, 'kind' | 'subjects'>,
  run: () => Promise<T>,
  stateOf: (result: T) => JobState = () => 'ok',
): Promise<T> {
  const { catalog, clock, random, locks } = ports;
  await settleDeadJobs(ports);
  const id = random.uuid();
  await using stack = new AsyncDisposableStack();
  stack.defer(async () => locks.forget?.(jobLock(id)));
  stack.use(await locks.acquire(jobLock(id), { what: `job ${id}`, waitMs: 0 }));
  await catalog.startJob({ id, kind, state: 'running', startedAt: isoUtc(clock.now()), processId: process.pid, subjects });
  try {
    const result = await run();
    await catalog.finishJob(id, stateOf(result), isoUtc(clock.now()), result);
    return result;
  } catch (error) {
    const interrupted = isInterruption(error);
    // The first failure is the one to tell: a catalog that cannot take the row does not replace it.
    await catalog.finishJob(id, interrupted ? 'interrupted' : 'failed', isoUtc(clock.now()), { error: failureOf(error) }).catch(() => {});
    throw error;
  }
}

/** Jobs whose process died are interrupted: nobody else will say so. */
async function settleDeadJobs({ catalog, clock, locks }: Ports): Promise<void> {
  for (const { id, state } of await catalog.listJobs(50)) {
    if (state !== 'running' || (await locks.isHeld(jobLock(id)))) continue;
    await catalog.finishJob(id, 'interrupted', isoUtc(clock.now()), undefined);
    await locks.forget?.(jobLock(id));
  }
}

/** Whether somebody asked to stop, and nothing else failed. */
export function isInterruption(thrown: unknown): boolean {
  const error = firstCause(thrown);
  return error instanceof MabsError && error.kind === 'interrupted';
}

/** The part of a request that every step of a job is given. */
export function jobOptions({ signal, onProgress }: JobOptions): JobOptions {
  return { ...(signal ? { signal } : {}), ...(onProgress ? { onProgress } : {}) };
}
