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
  /** What was asked of workers to open, whether or not all of them did. */
  #opened: TaskOf<K>[] = [];
  /** Promises, since a second window may come while tasks are being opened for the first. */
  #tasks: Promise<TaskOf<K>[]> | undefined;
  #inline: Promise<{ readonly task: TaskOf<K>; readonly ports: ThreadPorts }> | undefined;

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
    const workers = inline ? [] : await this.#allTasks();
    const tasks = workers.length > 0 ? workers : [await this.#inlineTask()];
    return await this.#together(tasks.map((task) => task.run(window)));
  }

  /** Seals all that was written. */
  async finish(): Promise<SealedPack[]> {
    const tasks = [...((await this.#tasks) ?? []), ...(this.#inline ? [await this.#inlineTask()] : [])];
    return (await this.#together(tasks.map((task) => task.finish()))).flat();
  }

  /** Closes every file in every thread, and returns only then. Never throws. */
  async close(): Promise<void> {
    const [tasks, inline] = await Promise.allSettled([this.#tasks, this.#inline]);
    this.#tasks = undefined;
    this.#inline = undefined;
    const open = tasks.status === 'fulfilled' ? (tasks.value ?? []) : this.#opened;
    await Promise.allSettled(open.map((task) => task.close()));
    if (inline.status === 'rejected') return;
    await inline.value?.task.close();
    await inline.value?.ports[Symbol.asyncDispose]();
  }

  #allTasks(): Promise<TaskOf<K>[]> {
    this.#tasks ??= this.#openTasks();
    return this.#tasks;
  }

  async #inlineTask(): Promise<TaskOf<K>> {
    this.#inline ??= this.#openInline();
    return (await this.#inline).task;
  }

  async #openTasks(): Promise<TaskOf<K>[]> {
    const { threads, blocks, kind, parameters } = this.#request;
    const descriptor = threads.count > 0 ? await blocks.describe() : undefined;
    if (!descriptor) return [];
    const workers = threads.workers(threads.count);
    lastTask += 1;
    const task = lastTask;
    this.#opened = workers.map((worker) => ({
      run: async (window) => (await worker.call({ do: 'run', task, window })) as TaskKinds[K]['summary'],
      finish: async () => (await worker.call({ do: 'finish', task })) as SealedPack[],
      close: async () => void (await worker.call({ do: 'close', task })),
    }));
    await this.#together(workers.map((worker) => worker.call({ do: 'open', task, kind, parameters, descriptor })));
    return this.#opened;
  }

  async #openInline(): Promise<{ readonly task: TaskOf<K>; readonly ports: ThreadPorts }> {
    const { blocks, kind, parameters, access } = this.#request;
    const ports = await blocks.openPorts();
    return { ports, task: serially(openTask(kind, parameters, ports, access)) };
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
