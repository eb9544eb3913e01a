import { Command, Option } from 'commander';
import { checkPool, type PoolCheckReport } from '../../core/check-pool.ts';
import { parseDuration } from '../../lib/durations.ts';
import { formatSize } from '../../lib/sizes.ts';
import type { CheckDepth } from '../../pool/pool.ts';
import type { App, Style } from '../app.ts';
import { examples } from '../examples.ts';
import { EXIT_CODES } from '../exit-codes.ts';

interface Options {
  readonly depth: CheckDepth;
  readonly budget?: string;
  readonly resume?: boolean;
}

/** Lines of damage that a person reads; `--json` has them all. */
const SHOWN = 50;

/** `mabs pool check`. */
export function poolCheckCommand(app: App, run = checkPool): Command {
  return new Command('check')
    .description('Read back what a pool holds and compare it with its digests. Exit code 4 when something is damaged.')
    .argument('<name>', 'the pool')
    .addOption(
      new Option('--depth <depth>', 'structure: no data; new: what was never read back; sample: a part; all: everything')
        .choices(['structure', 'new', 'sample', 'all'])
        .default('all'),
    )
    .option('--budget <duration>', 'end after this time, e.g. 30m')
    .option('--resume', 'go on where the last check with a budget ended')
    .addHelpText(
      'after',
      examples('mabs pool check main', 'mabs pool check main --depth new', 'mabs pool check main --budget 30m --resume'),
    )
    .action(async (pool: string, { depth, budget, resume = false }: Options) => {
      const request = { pool, depth, resume, ...(budget !== undefined && { budgetMs: parseDuration(budget) }) };
      const ports = await app.ports();
      const report = await app.withProgress(`Checking pool ${pool}`, (onProgress) =>
        run(ports, request, { signal: app.signal, onProgress }),
      );
      app.render(report, checkView);
      if (report.status === 'damaged') app.exitWith(EXIT_CODES.damaged);
    });
}

function checkView({ pool, status, blocksRead, bytesRead, damage, complete }: PoolCheckReport, style: Style): string {
  const word = { ok: style.good('ok'), repaired: style.warn('repaired'), damaged: style.bad('damaged') }[status];
  const lines = [`Pool ${pool}: ${word}, ${blocksRead} blocks (${formatSize(bytesRead)}) read${complete ? '' : '; go on with --resume'}`];
  for (const { file, offset, kind, affectedPoints } of damage.slice(0, SHOWN)) {
    const points = affectedPoints.length === 0 ? 'no recovery point needs it' : `needed by ${affectedPoints.join(', ')}`;
    lines.push(`  ${file} at ${offset}: ${kind}; ${points}`);
  }
  if (damage.length > SHOWN) lines.push(`  … and ${damage.length - SHOWN} more (--json lists all)`);
  if (damage.length > 0) lines.push('mabs consistency-check brings blocks back from the source, as far as it still has them.');
  return lines.join('\n');
}
