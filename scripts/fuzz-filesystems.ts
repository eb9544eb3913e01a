/**
 * Spoils what lies inside disks at random and reads it:
 * npm run fuzz:filesystems -- [--target NAME …] [--rounds 100000] [--seed 1] [--jobs 2]
 * Each target's rounds are shared by `jobs` processes. Prints what came of them, a line a target; ends with 1 when anything but a typed
 * refusal or success happened, or memory grew.
 */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CAMPAIGNS, type Campaign } from './fuzz/campaigns.ts';
import { type CampaignResult, ROUNDS_A_SEED, runCampaign } from './fuzz/run-campaign.ts';

const MAX_GROWTH = 64 * 1024 * 1024;

const { values } = parseArgs({
  options: {
    target: { type: 'string', multiple: true, default: CAMPAIGNS.map(({ name }) => name) },
    rounds: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(availableParallelism()) },
  },
});
const [rounds, seed, jobs] = [Number(values.rounds), Number(values.seed), Math.max(1, Number(values.jobs))];
const chosen = CAMPAIGNS.filter(({ name }) => values.target.includes(name));

if (process.send) await serve();
else await runAll();

/** In a process of its own: one part of one target. */
async function serve(): Promise<void> {
  process.send!(await runCampaign(chosen[0]!, { seed, rounds }), () => process.disconnect());
}

async function runAll(): Promise<void> {
  let failed = chosen.length === 0;
  for (const campaign of chosen) {
    const parts = await Promise.all(partsOf().map((part) => runElsewhere(campaign, part)));
    const outcomes: Record<string, number> = {};
    for (const part of parts) for (const [name, count] of Object.entries(part.outcomes)) outcomes[name] = (outcomes[name] ?? 0) + count;
    const problems = parts.flatMap((part) => part.problems);
    for (const problem of problems) console.error(`${campaign.name}: ${problem}`);
    const growthBytes = Math.max(...parts.map((part) => part.growthBytes));
    const slowestMs = Math.round(Math.max(...parts.map((part) => part.slowestMs)));
    failed ||= problems.length > 0 || growthBytes > MAX_GROWTH;
    console.log(JSON.stringify({ target: campaign.name, rounds, outcomes, problems: problems.length, slowestMs, growthBytes }));
  }
  process.exitCode = failed ? 1 : 0;
}

/** Seeds that follow each other, shared: the same rounds are done whatever the number of jobs. */
function partsOf(): { seed: number; rounds: number }[] {
  const seeds = Math.ceil(rounds / ROUNDS_A_SEED);
  const each = Math.ceil(seeds / jobs);
  const parts: { seed: number; rounds: number }[] = [];
  for (let first = 0; first < seeds; first += each) {
    const last = Math.min(first + each, seeds);
    parts.push({ seed: seed + first, rounds: Math.min(rounds, last * ROUNDS_A_SEED) - first * ROUNDS_A_SEED });
  }
  return parts;
}

function runElsewhere({ name }: Campaign, part: { seed: number; rounds: number }): Promise<CampaignResult> {
  const words = ['--target', name, '--seed', String(part.seed), '--rounds', String(part.rounds)];
  const child = fork(fileURLToPath(import.meta.url), words, { execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning'] });
  return new Promise((resolve, reject) => {
    let result: CampaignResult | undefined;
    child.once('message', (message) => {
      result = message as CampaignResult;
    });
    child.once('exit', (code, signal) => {
      if (result) resolve(result);
      else
        resolve({
          outcomes: {},
          problems: [`the process ended with ${signal ?? code}, seeds from ${part.seed} on`],
          slowestMs: 0,
          growthBytes: 0,
        });
    });
    child.once('error', reject);
  });
}
