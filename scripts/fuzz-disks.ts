/**
 * Spoils disk images at random and opens them: node scripts/fuzz-disks.ts [--target vhdx|vhd|volumes|lvm] [--rounds 100000] [--seed 1]
 * Prints what came of them; ends with 1 when anything but a typed refusal or success happened, or memory grew.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type FuzzTarget, fuzzDisks } from '../test/builders/disk-fuzzer.ts';
import { lvmFuzzTarget } from '../test/builders/lvm-fuzz-target.ts';
import { vhdFuzzTarget } from '../test/builders/vhd-fuzz-target.ts';
import { vhdxFuzzTarget } from '../test/builders/vhdx-fuzz-target.ts';
import { volumesFuzzTarget } from '../test/builders/volumes-fuzz-target.ts';

const TARGETS: readonly FuzzTarget[] = [vhdxFuzzTarget, vhdFuzzTarget, volumesFuzzTarget, lvmFuzzTarget];
const ROUNDS_AT_ONCE = 5000;
const MAX_GROWTH = 256 * 1024 * 1024;

const { values } = parseArgs({
  options: {
    target: { type: 'string', multiple: true, default: TARGETS.map(({ name }) => name) },
    rounds: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
  },
});

let failed = false;
for (const target of TARGETS.filter(({ name }) => values.target.includes(name))) {
  const before = process.memoryUsage().rss;
  const outcomes: Record<string, number> = {};
  let slowestMs = 0;
  for (let done = 0, seed = Number(values.seed); done < Number(values.rounds); done += ROUNDS_AT_ONCE, seed++) {
    const folder = await mkdtemp(join(tmpdir(), 'mabs-fuzz-'));
    const rounds = Math.min(ROUNDS_AT_ONCE, Number(values.rounds) - done);
    const report = await fuzzDisks(target, folder, { seed, rounds });
    for (const [name, count] of Object.entries(report.outcomes)) outcomes[name] = (outcomes[name] ?? 0) + count;
    for (const problem of report.problems) console.error(problem);
    failed ||= report.problems.length > 0;
    slowestMs = Math.max(slowestMs, report.slowestMs);
    await rm(folder, { recursive: true });
  }
  const growth = process.memoryUsage().rss - before;
  failed ||= growth > MAX_GROWTH;
  console.log(
    JSON.stringify({ target: target.name, rounds: Number(values.rounds), outcomes, slowestMs: Math.round(slowestMs), growthBytes: growth }),
  );
}
process.exitCode = failed ? 1 : 0;
