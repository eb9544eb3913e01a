import { Command } from 'commander';
import { exportPoolKey } from '../../core/pool-keys.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';

/** `mabs pool key export`. */
export function poolKeyExportCommand(app: App, run = exportPoolKey): Command {
  return new Command('export')
    .description('Print the recovery key of an encrypted pool: it opens the pool without a passphrase. Keep it on paper, away from here.')
    .argument('<name>', 'the pool')
    .addHelpText('after', examples('mabs pool key export vault'))
    .action(async (name: string) => app.render(await run(await app.ports(), name), ({ recoveryKey }) => recoveryKey));
}
