import { availableParallelism } from 'node:os';
import { WorkerHandle } from './worker-handle.ts';

/** Worker threads that are started when they are first needed and live until they are disposed of. */
export interface EngineThreads extends AsyncDisposable {
  /** How many workers a run uses; 0: all is done in the calling thread. */
  readonly count: number;
  /** The workers, started; at most `most` of them. */
  workers(most: number): WorkerHandle[];
}

/**
 * Threads for the life of an opened pool. Without `count` the environment's MABS_WORKERS decides, else the number of cores.
 */
export function createEngineThreads(count = workersWanted(process.env.MABS_WORKERS)): EngineThreads {
  const workers: WorkerHandle[] = [];
  return {
    count,
    workers(most) {
      const wanted = Math.min(most, count);
      for (let i = 0; i < wanted; i += 1) {
        if (!workers[i]?.alive) workers[i] = new WorkerHandle();
      }
      return workers.slice(0, wanted);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(workers.splice(0).map((worker) => worker.end()));
    },
  };
}

function workersWanted(setting: string | undefined): number {
  return setting !== undefined && /^\d{1,3}$/.test(setting) ? Number(setting) : availableParallelism();
}
