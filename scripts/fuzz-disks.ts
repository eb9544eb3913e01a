/**
 * Spoils disk images at random and opens them: node scripts/fuzz-disks.ts [--target vhdx|vhd|volumes|lvm] [--rounds 100000] [--seed 1]
 * Prints what came of them; ends with 1 when anything but a typed refusal or success happened, or memory grew.
 */
import { parseArgs } from 'node:util';
import type { FuzzTarget } from '../test/builders/disk-fuzzer.ts';
import { lvmFuzzTarget } from '../test/builders/lvm-fuzz-target.ts';
import { vhdFuzzTarget } from '../test/builders/vhd-fuzz-target.ts';
import { vhdxFuzzTarget } from '../test/builders/vhdx-fuzz-target.ts';
import { volumesFuzzTarget } from '../test/builders/volumes-fuzz-target.ts';
import { diskCampaign } from './fuzz/campaigns.ts';
import { runCampaign } from './fuzz/run-campaign.ts';

const TARGETS: readonly FuzzTarget[] = [vhdxFuzzTarget, vhdFuzzTarget, volumesFuzzTarget, lvmFuzzTarget];
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
  const options = { seed: Number(values.seed), rounds: Number(values.rounds) };
  const { outcomes, problems, slowestMs } = await runCampaign(diskCampaign(target), options);
  for (const problem of problems) console.error(problem);
  failed ||= problems.length > 0;
  const growth = process.memoryUsage().rss - before;
  failed ||= growth > MAX_GROWTH;
  console.log(
    JSON.stringify({ target: target.name, rounds: Number(values.rounds), outcomes, slowestMs: Math.round(slowestMs), growthBytes: growth }),
  );
}
process.exitCode = failed ? 1 : 0;
