import { InterruptedError } from '../../lib/errors.ts';
import type { SealedPack } from '../block.ts';
import type { ReadableBlocks, ThreadPorts } from './engine-ports.ts';
import { Control, type ControlWords } from './engine-task.ts';
import type { EngineThreads } from './engine-threads.ts';
import { type InlineAccess, openTask, type TaskKind, type TaskKinds, type TaskOf } from './open-task.ts';
import { serially } from './serially.ts';

type Parameters<K extends TaskKind> = TaskKinds[K]['parameters'] & { readonly control: ControlWords };

let lastTask = 0;

export interface TeamRequest<K extends TaskKind> {
  readonly kind: K;
  readonly parameters: Parameters<K>;
  readonly threads: EngineThreads;
  readonly blocks: ReadableBlocks;
  readonly access?: InlineAccess;
}

/**
 * The tasks of one run: one in each worker, or one in this thread. Any failure stops them all, and the first that was not a
 * consequence of another is the one thrown. Tasks are opened when the first window comes. `close` must be called.
 */
export class Team<K extends TaskKind> {
  readonly #request: TeamRequest<K>;
  #tasks: TaskOf<K>[] | undefined;
  #inline: { readonly task: TaskOf<K>; readonly ports: ThreadPorts } | undefined;

  constructor(request: TeamRequest<K>) {
    this.#request = request;
  }

  /** Whether workers were woken. */
  get atWork(): boolean {
    return this.#tasks !== undefined;
  }

  /**
   * Does a window in all tasks together. `inline`: in this thread, because only it can read or write the disk, or because it is
   * so small that no worker need be woken.
   */
  async run(window: TaskKinds[K]['window'], { inline }: { readonly inline: boolean }): Promise<TaskKinds[K]['summary'][]> {
    const tasks = inline ? [await this.#openInline()] : await this.#openTasks();
    return await this.#together(tasks.map((task) => task.run(window)));
  }

  /** Seals all that was written. */
  async finish(): Promise<SealedPack[]> {
    const tasks = [...(this.#tasks ?? []), ...(this.#inline ? [this.#inline.task] : [])];
    return (await this.#together(tasks.map((task) => task.finish()))).flat();
  }

  /** Closes every file in every thread, and returns only then. Never throws. */
  async close(): Promise<void> {
    const tasks = this.#tasks ?? [];
    const inline = this.#inline;
    this.#tasks = undefined;
    this.#inline = undefined;
    await Promise.allSettled(tasks.map((task) => task.close()));
    await inline?.task.close();
    await inline?.ports[Symbol.asyncDispose]();
  }

  async #openTasks(): Promise<TaskOf<K>[]> {
    if (this.#tasks) return this.#tasks;
    const { threads, blocks, kind, parameters } = this.#request;
    const descriptor = threads.count > 0 ? await blocks.describe() : undefined;
    if (!descriptor) return [await this.#openInline()];
    const workers = threads.workers(threads.count);
    lastTask += 1;
    const task = lastTask;
    this.#tasks = workers.map((worker) => ({
      run: async (window) => (await worker.call({ do: 'run', task, window })) as TaskKinds[K]['summary'],
      finish: async () => (await worker.call({ do: 'finish', task })) as SealedPack[],
      close: async () => void (await worker.call({ do: 'close', task })),
    }));
    await this.#together(workers.map((worker) => worker.call({ do: 'open', task, kind, parameters, descriptor })));
    return this.#tasks;
  }

  async #openInline(): Promise<TaskOf<K>> {
    if (!this.#inline) {
      const { blocks, kind, parameters, access } = this.#request;
      const ports = await blocks.openPorts();
      this.#inline = { ports, task: serially(openTask(kind, parameters, ports, access)) };
    }
    return this.#inline.task;
  }

  /** All results, or the failure that came first; the others are waited for, so that nothing is at work any more. */
  async #together<T>(promises: Promise<T>[]): Promise<T[]> {
    const { control } = this.#request.parameters;
    const failures: unknown[] = [];
    const noted = promises.map((promise) =>
      promise.catch((error: unknown) => {
        Atomics.store(control, Control.stop, 1);
        failures.push(error);
        return undefined;
      }),
    );
    const results = await Promise.all(noted);
    if (failures.length === 0) return results as T[];
    throw failures.find((error) => !isStopped(error)) ?? new InterruptedError({ cause: failures[0] });
  }
}

function isStopped(error: unknown): boolean {
  return error instanceof Error && error.name === 'StoppedError';
}
