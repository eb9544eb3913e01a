import type { Instant } from '../lib/clock.ts';
import type { StepProgress } from './app.ts';

/** How a step is getting on; the fields are what `--progress json` writes. */
export interface Measure {
  readonly label: string;
  readonly doneBytes?: number;
  readonly totalBytes?: number;
  /** Bytes per second over the last seconds; absent until it can be told. */
  readonly rate?: number;
  readonly etaSeconds?: number;
}

const WINDOW_MS = 10_000;

/** Works out rate and remaining time of steps, each by its label, from what was reported in the last ten seconds. */
export class ProgressMeter {
  readonly #samples = new Map<string, { at: Instant; doneBytes: number }[]>();

  measure({ label, doneBytes, totalBytes }: StepProgress, now: Instant): Measure {
    if (doneBytes === undefined) return { label };
    const rate = this.#rate(label, doneBytes, now);
    const left = totalBytes === undefined ? undefined : Math.max(0, totalBytes - doneBytes);
    return {
      label,
      doneBytes,
      ...(totalBytes !== undefined && { totalBytes }),
      ...(rate !== undefined && { rate: Math.round(rate) }),
      ...(rate !== undefined && rate > 0 && left !== undefined && { etaSeconds: Math.ceil(left / rate) }),
    };
  }

  #rate(label: string, doneBytes: number, now: Instant): number | undefined {
    let samples = this.#samples.get(label) ?? [];
    // A step that begins anew under the same label starts its own count.
    if (samples.length > 0 && doneBytes < samples.at(-1)!.doneBytes) samples = [];
    samples.push({ at: now, doneBytes });
    while (samples.length > 2 && samples[0]!.at < now - WINDOW_MS) samples.shift();
    this.#samples.set(label, samples);
    const elapsed = now - samples[0]!.at;
    return elapsed >= 500 ? ((doneBytes - samples[0]!.doneBytes) / elapsed) * 1000 : undefined;
  }
}
