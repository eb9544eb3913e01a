import { Command } from 'commander';
import { type ShownPool, showPool } from '../../core/pools.ts';
import { formatSize } from '../../lib/sizes.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';

/** `mabs pool show`. */
export function poolShowCommand(app: App, run = showPool): Command {
  return new Command('show')
    .description('Show how full a pool is and what it saves.')
    .argument('<name>', 'the pool')
    .addHelpText('after', examples('mabs pool show main', 'mabs pool show main --json'))
    .action(async (name: string) => app.render(await run(await app.ports(), name), poolView));
}

function poolView(pool: ShownPool): string {
  const ratio = pool.blocks > 0 ? `  (1 : ${(pool.logicalBytes / pool.storedBytes).toFixed(1)})` : '';
  return [
    `Pool       ${pool.name}`,
    `Path       ${pool.path}`,
    `Volume     ${formatSize(pool.free)} free of ${formatSize(pool.capacity)}`,
    `Protected  ${formatSize(pool.logicalBytes)} in ${pool.points} recovery points`,
    `Stored     ${formatSize(pool.storedBytes)} in ${pool.blocks} blocks of ${formatSize(pool.blockSize)}${ratio}`,
    `Encrypted  ${pool.encrypted ? 'yes' : 'no'}`,
    `Format     ${pool.formatVersion}`,
  ].join('\n');
}
