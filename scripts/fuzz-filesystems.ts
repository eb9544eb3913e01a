/**
 * Spoils volumes at random and reads them: node scripts/fuzz-filesystems.ts [--target NAME …] [--rounds 100000] [--seed 1]
 * Prints what came of them; ends with 1 when anything but a typed refusal or success happened, or memory grew.
 */
import { parseArgs } from 'node:util';
import { fuzzCompression } from '../test/builders/compression-fuzzer.ts';
import { exfatFuzzTarget } from '../test/builders/exfat-fuzz-target.ts';
import { extFuzzTarget } from '../test/builders/ext-fuzz-target.ts';
import { fatFuzzTarget } from '../test/builders/fat-fuzz-target.ts';
import { type FileSystemFuzzTarget, fuzzFileSystem } from '../test/builders/file-system-fuzzer.ts';
import { ntfsFuzzTarget } from '../test/builders/ntfs-fuzz-target.ts';
import { xfsFuzzTarget } from '../test/builders/xfs-fuzz-target.ts';

const TARGETS: readonly FileSystemFuzzTarget[] = [extFuzzTarget, exfatFuzzTarget, fatFuzzTarget, ntfsFuzzTarget, xfsFuzzTarget];
/** All that is spoiled: volumes, and what NTFS compresses. */
const CAMPAIGNS = [
  ...TARGETS.map((target) => ({ name: target.name, fuzz: (options: { seed: number; rounds: number }) => fuzzFileSystem(target, options) })),
  { name: 'compression', fuzz: fuzzCompression },
];
const ROUNDS_AT_ONCE = 10_000;
const MAX_GROWTH = 256 * 1024 * 1024;

const { values } = parseArgs({
  options: {
    target: { type: 'string', multiple: true, default: CAMPAIGNS.map(({ name }) => name) },
    rounds: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
  },
});

let failed = false;
for (const { name: campaign, fuzz } of CAMPAIGNS.filter(({ name }) => values.target.includes(name))) {
  const before = process.memoryUsage().rss;
  const outcomes: Record<string, number> = {};
  let slowestMs = 0;
  for (let done = 0, seed = Number(values.seed); done < Number(values.rounds); done += ROUNDS_AT_ONCE, seed += 1) {
    const report = await fuzz({ seed, rounds: Math.min(ROUNDS_AT_ONCE, Number(values.rounds) - done) });
    for (const [name, count] of Object.entries(report.outcomes)) outcomes[name] = (outcomes[name] ?? 0) + count;
    for (const problem of report.problems) console.error(problem);
    failed ||= report.problems.length > 0;
    slowestMs = Math.max(slowestMs, report.slowestMs);
  }
  const growthBytes = process.memoryUsage().rss - before;
  failed ||= growthBytes > MAX_GROWTH;
  console.log(JSON.stringify({ target: campaign, rounds: Number(values.rounds), outcomes, slowestMs: Math.round(slowestMs), growthBytes }));
}
process.exitCode = failed ? 1 : 0;
