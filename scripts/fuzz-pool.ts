/**
 * Spoils at random what a pool and a simulated host read, and reads it: node scripts/fuzz-pool.ts [--target pool|lab] [--rounds 100000]
 * [--seed 1]. Prints what came of them; ends with 1 when anything but a typed refusal or success happened, or memory grew.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type ByteSample, fuzzBytes } from '../test/builders/byte-fuzzer.ts';
import { labSamples } from '../test/builders/lab-samples.ts';
import { poolSamples } from '../test/builders/pool-samples.ts';
import { runCampaign } from './fuzz/run-campaign.ts';

const MAX_GROWTH = 256 * 1024 * 1024;
const folder = await mkdtemp(join(tmpdir(), 'mabs-fuzz-'));
const TARGETS: Readonly<Record<string, () => Promise<ByteSample[]>>> = { lab: async () => labSamples(folder), pool: poolSamples };

const { values } = parseArgs({
  options: {
    target: { type: 'string', multiple: true, default: Object.keys(TARGETS) },
    rounds: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
  },
});

let failed = false;
for (const name of values.target) {
  const samples = await TARGETS[name]!();
  const before = process.memoryUsage().rss;
  const campaign = { name, fuzz: (options: { seed: number; rounds: number }) => fuzzBytes(samples, options) };
  const { outcomes, problems, slowestMs } = await runCampaign(campaign, { seed: Number(values.seed), rounds: Number(values.rounds) });
  for (const problem of problems) console.error(problem);
  failed ||= problems.length > 0;
  const growth = process.memoryUsage().rss - before;
  failed ||= growth > MAX_GROWTH;
  console.log(
    JSON.stringify({ target: name, rounds: Number(values.rounds), outcomes, slowestMs: Math.round(slowestMs), growthBytes: growth }),
  );
}
await rm(folder, { recursive: true });
process.exitCode = failed ? 1 : 0;
