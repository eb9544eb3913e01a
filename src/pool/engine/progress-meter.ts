import { performance } from 'node:perf_hooks';
import { throwIfAborted } from '../../lib/errors.ts';
import type { EngineOptions, OnProgress } from '../pool.ts';
import { Control, type ControlWords } from './engine-task.ts';

const INTERVAL_MS = 150;

/** Tells progress while workers are at it, and passes a cancellation on to them. Dispose of it when the run has ended. */
export class ProgressMeter implements Disposable {
  /** Bytes settled without any worker. */
  passedBytes = 0;
  readonly #control: ControlWords;
  readonly #blockSize: number;
  readonly #totalBytes: number;
  readonly #onProgress: OnProgress | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #stop: () => void;
  #toldAt = 0;

  constructor(control: ControlWords, { blockSize, totalBytes }: { blockSize: number; totalBytes: number }, options: EngineOptions) {
    this.#control = control;
    this.#blockSize = blockSize;
    this.#totalBytes = totalBytes;
    this.#onProgress = options.onProgress;
    this.#signal = options.signal;
    this.#stop = () => Atomics.store(control, Control.stop, 1);
    if (this.#signal?.aborted) this.#stop();
    this.#signal?.addEventListener('abort', this.#stop);
    if (this.#onProgress) this.#timer = setInterval(() => this.#tell(), INTERVAL_MS).unref();
  }

  /** For the main thread, while it plans. */
  throwIfStopped(): void {
    throwIfAborted(this.#signal);
  }

  /** Called from loops that leave no time to timers. */
  tick(): void {
    if (this.#onProgress && performance.now() - this.#toldAt >= INTERVAL_MS) this.#tell();
  }

  /** Tells that all is done. */
  finish(): void {
    this.#onProgress?.({ doneBytes: this.#totalBytes, totalBytes: this.#totalBytes });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#signal?.removeEventListener('abort', this.#stop);
  }

  #tell(): void {
    this.#toldAt = performance.now();
    const worked = Atomics.load(this.#control, Control.blocksDone) * this.#blockSize;
    this.#onProgress?.({ doneBytes: Math.min(this.#totalBytes, this.passedBytes + worked), totalBytes: this.#totalBytes });
  }
}
