import { Worker } from 'node:worker_threads';
import { InterruptedError } from '../lib/errors.ts';
import { checkPack, type PackCheck, type PackDepth } from './check-pack.ts';
import type { CheckAnswer, CheckWorkerData } from './check-worker.ts';
import { fromFailure } from './engine/worker-messages.ts';
import type { PoolContext } from './pool-context.ts';

export interface PacksRequest {
  /** In the order in which they are to be read. */
  readonly names: readonly string[];
  readonly depth: PackDepth;
  /** Worker threads; 0: all in this one. */
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
  /** Asked before each pack; true ends the check there. */
  readonly enough: () => boolean;
  readonly onPack: (check: PackCheck) => void;
}

/** Checks packs, several at a time. Answers how many of the names, from the first on, were done. */
export async function checkPacks(pool: PoolContext, request: PacksRequest): Promise<number> {
  const { store, poolId, keys } = pool;
  const count = store.descriptor.type === 'memory' || request.depth === 'structure' ? 0 : Math.min(request.threads, request.names.length);
  const checking = { poolId, ...(keys ? { keys } : {}) };
  if (count === 0) return await runThrough(request, [(name) => checkPack(store, name, checking, request.depth)]);
  const workers = Array.from({ length: count }, () => new CheckWorker({ ...checking, store: store.descriptor, depth: request.depth }));
  try {
    return await runThrough(
      request,
      workers.map((worker) => (name) => worker.check(name)),
    );
  } finally {
    await Promise.all(workers.map((worker) => worker.end()));
  }
}

/** Hands out names in order to whoever is free. */
async function runThrough(request: PacksRequest, checkers: readonly ((name: string) => Promise<PackCheck>)[]): Promise<number> {
  const { names, signal, enough, onPack } = request;
  let next = 0;
  let failed = false;
  const runOne = async (check: (name: string) => Promise<PackCheck>) => {
    while (next < names.length && !failed && !enough()) {
      if (signal?.aborted) throw new InterruptedError();
      const name = names[next]!;
      next += 1;
      onPack(await check(name));
    }
  };
  const runs = checkers.map((check) =>
    runOne(check).catch((error) => {
      failed = true;
      throw error;
    }),
  );
  const rejected = (await Promise.allSettled(runs)).find((run) => run.status === 'rejected');
  if (rejected) throw rejected.reason;
  return next;
}

class CheckWorker {
  readonly #worker: Worker;

  constructor(workerData: CheckWorkerData) {
    const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
    this.#worker = new Worker(new URL(`./check-worker${extension}`, import.meta.url), { workerData, execArgv: [] });
    this.#worker.on('error', () => {}); // Each call hears of it; between calls nobody waits.
  }

  check(name: string): Promise<PackCheck> {
    return new Promise((resolve, reject) => {
      const settle = (answer: CheckAnswer) => {
        this.#worker.removeListener('error', fail);
        this.#worker.removeListener('exit', exit);
        if ('failure' in answer) reject(fromFailure(answer.failure));
        else resolve(answer.result);
      };
      const fail = (error: Error) => reject(new Error(`a worker thread failed: ${error.message}`, { cause: error }));
      const exit = (code: number) => reject(new Error(`a worker thread ended with code ${code}`));
      this.#worker.once('message', settle);
      this.#worker.once('error', fail);
      this.#worker.once('exit', exit);
      this.#worker.postMessage(name);
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
