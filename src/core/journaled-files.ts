import { rm } from 'node:fs/promises';
import { isoUtc } from '../lib/times.ts';
import { type KnownPoint, pointVm } from './known-points.ts';
import type { Ports } from './ports.ts';

export interface JournaledFiles {
  /** Of the recovery. */
  readonly id: string;
  /** What is recovered; the first where there are several. */
  readonly point: KnownPoint;
  /** Absolute paths of temporary files and folders. */
  readonly files: readonly string[];
}

/** Journals temporary names before anything is written under them, so that the next job removes what a crash leaves; removes them in the end. */
export async function withJournaledFiles<T>(ports: Ports, { id, point, files }: JournaledFiles, run: () => Promise<T>): Promise<T> {
  const lock = `recovery-${id}`;
  await using stack = new AsyncDisposableStack();
  stack.defer(async () => ports.locks.forget?.(lock));
  stack.use(await ports.locks.acquire(lock, { what: 'this recovery', waitMs: 0 }));
  // No host: there are only files to remove.
  const { id: vmId } = point.manifest.vm;
  const at = isoUtc(ports.clock.now());
  await ports.home.journal.put({ id, kind: 'recovery', host: '', vmId, vmName: pointVm(point), at, lock, facts: { files } });
  try {
    return await run();
  } finally {
    for (const file of files) await rm(file, { recursive: true, force: true, maxRetries: 5 });
    await ports.home.journal.remove(id);
  }
}
