import { setImmediate } from 'node:timers/promises';
import type { Campaign } from './campaigns.ts';

export interface CampaignResult {
  readonly outcomes: Record<string, number>;
  readonly problems: string[];
  readonly slowestMs: number;
  /** What the process holds at the end more than when it had done the first of it: code that is warm and caches that are full grow no more. */
  readonly growthBytes: number;
}

/** So many rounds have one seed: what is found is found again by few. */
export const ROUNDS_A_SEED = 5000;

/** Runs rounds one after the other, with seeds from `seed` on. */
export async function runCampaign({ fuzz }: Campaign, { seed, rounds }: { seed: number; rounds: number }): Promise<CampaignResult> {
  const outcomes: Record<string, number> = {};
  const problems: string[] = [];
  let slowestMs = 0;
  let warmBytes: number | undefined;
  for (let done = 0, own = seed; done < rounds; done += ROUNDS_A_SEED, own += 1) {
    const report = await fuzz({ seed: own, rounds: Math.min(ROUNDS_A_SEED, rounds - done) });
    for (const [name, count] of Object.entries(report.outcomes)) outcomes[name] = (outcomes[name] ?? 0) + count;
    problems.push(...report.problems);
    slowestMs = Math.max(slowestMs, report.slowestMs);
    warmBytes ??= await heldBytes();
  }
  return { outcomes, problems, slowestMs, growthBytes: warmBytes === undefined ? 0 : (await heldBytes()) - warmBytes };
}

/** What is still held when all that can be thrown away was (`--expose-gc`): resident memory alone also counts what is only not given back yet. */
async function heldBytes(): Promise<number> {
  // Buffers are given back some time after what held them: at a later turn, and by the next collection.
  for (let times = 0; times < 3; times += 1) {
    globalThis.gc?.();
    await setImmediate();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return globalThis.gc ? heapUsed + external : rss;
}
