import type { Job } from '../catalogs/catalog.ts';
import { MabsError } from '../lib/errors.ts';
import { jobLock } from './job.ts';
import type { Ports } from './ports.ts';

export class JobUnknownError extends MabsError {
  readonly code = 'MABS-JOB-UNKNOWN';
  readonly hint = 'See `mabs job list` for the ids.';
  constructor(id: string) {
    super(`there is no job ${id}`);
  }
}

/** The newest jobs first. One whose process died is interrupted, whatever its row says. */
export async function listJobs(ports: Ports, limit: number): Promise<Job[]> {
  const jobs = await ports.catalog.listJobs(limit);
  return Promise.all(jobs.map((job) => seenAlive(ports, job)));
}

/** The job with this id, or the only one of the newest thousand whose id begins with it. */
export async function getJob(ports: Ports, id: string): Promise<Job> {
  const exact = await ports.catalog.findJob(id);
  const matching = exact ? [exact] : (await ports.catalog.listJobs(1000)).filter((job) => id.length >= 6 && job.id.startsWith(id));
  if (matching.length !== 1) throw new JobUnknownError(id);
  return seenAlive(ports, matching[0]!);
}

/** Nobody holds the lock of a job whose process is gone. */
async function seenAlive({ locks }: Ports, job: Job): Promise<Job> {
  if (job.state !== 'running' || (await locks.isHeld(jobLock(job.id)))) return job;
  return { ...job, state: 'interrupted' };
}
