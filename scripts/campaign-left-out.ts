/**
 * Histories of a guest's disk of which page files, swap and free clusters are left out: `node scripts/campaign-left-out.ts
 * [--histories 1000] [--steps 60] [--seed 1]`. Each is played against a pool of its own; after each sync the point must say exactly what
 * was left out, and restore to the disk in every other byte.
 */
import { parseArgs } from 'node:util';
import { guestSteps } from '../test/builders/guest-disk.ts';
import { type HistoryStep, playHistory } from '../test/builders/left-out-history.ts';
import { aPool } from '../test/builders/pools.ts';
import { type SeededRandom, seededRandom } from './campaign/seeded-random.ts';

const { values } = parseArgs({
  options: {
    histories: { type: 'string', default: '1000' },
    steps: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
  },
});
const sum = { histories: 0, steps: 0, syncs: 0, leftOut: 0 };
for (let history = 0; history < Number(values.histories) && process.exitCode === undefined; history += 1) {
  const seed = Number(values.seed) + history;
  const steps = aHistory(seededRandom(seed));
  const pool = await aPool();
  await using _ = pool.pool;
  try {
    const seen = await playHistory(pool, steps);
    sum.histories += 1;
    sum.steps += steps.length;
    sum.syncs += seen.syncs;
    sum.leftOut += seen.leftOut;
  } catch (error) {
    console.error(`seed ${seed}: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
console.log(`${sum.histories} histories, ${sum.steps} steps, ${sum.syncs} syncs, ${sum.leftOut} bytes left out at them`);
console.log(process.exitCode === 1 ? '0 passed, 1 failed' : '1 passed, 0 failed');

function aHistory(random: SeededRandom): HistoryStep[] {
  const steps = Array.from({ length: Number(values.steps) }, () => aStep(random));
  return [...steps, { kind: 'sync', how: 'tracked' }];
}

function aStep(random: SeededRandom): HistoryStep {
  const draw = random.next();
  if (draw < 0.3) return { kind: 'sync', how: random.pick(['tracked', 'tracked', 'tracked', 'scan', 'check', 'interrupted'] as const) };
  if (draw < 0.35)
    return {
      kind: 'policy',
      leaveOut: [...random.pick<readonly ('pagefile' | 'free')[]>([['pagefile'], ['pagefile', 'free'], ['free'], []])],
    };
  const number = () => random.below(1_000_000);
  return { kind: random.pick(guestSteps), a: number(), b: number(), c: number() };
}
