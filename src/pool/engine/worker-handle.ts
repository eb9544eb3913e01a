import { Worker } from 'node:worker_threads';
import { fromFailure, type WorkerAnswer, type WorkerRequest } from './worker-messages.ts';

type Request = WorkerRequest extends infer Each ? (Each extends WorkerRequest ? Omit<Each, 'call'> : never) : never;

interface Call {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Heap of a worker in MiB: its blocks lie outside of it, so it needs little, and a small young generation keeps it small. */
const HEAP_LIMITS = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 512 };

/** A worker thread as the main thread sees it: calls that are answered or fail. It keeps the process alive only while it has any. */
export class WorkerHandle {
  alive = true;
  readonly #worker: Worker;
  readonly #calls = new Map<number, Call>();
  #lastCall = 0;

  constructor() {
    const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
    this.#worker = new Worker(new URL(`./engine-worker${extension}`, import.meta.url), { execArgv: [], resourceLimits: HEAP_LIMITS });
    this.#worker.on('message', (answer: WorkerAnswer) => this.#settle(answer));
    this.#worker.on('error', (error) => this.#fail(new Error(`a worker thread failed: ${error.message}`, { cause: error })));
    this.#worker.on('exit', (code) => this.#fail(new Error(`a worker thread ended with code ${code}`)));
    this.#worker.unref();
  }

  call(request: Request): Promise<unknown> {
    if (!this.alive) return Promise.reject(new Error('a worker thread that has ended was called'));
    this.#lastCall += 1;
    const call = this.#lastCall;
    return new Promise((resolve, reject) => {
      this.#calls.set(call, { resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage({ ...request, call });
    });
  }

  async end(): Promise<void> {
    this.alive = false;
    await this.#worker.terminate();
  }

  #settle(answer: WorkerAnswer): void {
    const call = this.#calls.get(answer.call);
    this.#calls.delete(answer.call);
    if (this.#calls.size === 0) this.#worker.unref();
    if ('failure' in answer) call?.reject(fromFailure(answer.failure));
    else call?.resolve(answer.result);
  }

  #fail(error: Error): void {
    this.alive = false;
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) call.reject(error);
  }
}
