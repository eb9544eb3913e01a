import type { SealedPack } from '../block.ts';

/** Words of the memory that the tasks of a run share with the main thread. */
export const Control = { stop: 0, blocksDone: 1, words: 2 } as const;
export type ControlWords = Int32Array<SharedArrayBuffer>;

export function createControl(): ControlWords {
  return new Int32Array(new SharedArrayBuffer(Control.words * Int32Array.BYTES_PER_ELEMENT));
}

/** Another task failed or the run was cancelled: this one only ended because of it. */
export class StoppedError extends Error {
  override readonly name = 'StoppedError';
}

export function throwIfStopped(control: ControlWords): void {
  if (Atomics.load(control, Control.stop) !== 0) throw new StoppedError('stopped');
}

/** What a thread does of a run: windows one after another, sharing each with the tasks of other threads. */
export interface EngineTask<Window, Summary> {
  run(window: Window): Promise<Summary>;
  /** Seals what was written; answers all packs sealed that `run` has not answered. */
  finish(): Promise<SealedPack[]>;
  /** Closes every file, dropping what was not sealed. Never throws; may be called after a failure. */
  close(): Promise<void>;
}
