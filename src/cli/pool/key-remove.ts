import { Command } from 'commander';
import { removePoolKey } from '../../core/pool-keys.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';

/** `mabs pool key remove`. */
export function poolKeyRemoveCommand(app: App, run = removePoolKey): Command {
  return new Command('remove')
    .description('Remove a passphrase of an encrypted pool; the last one stays.')
    .argument('<name>', 'the pool')
    .argument('<key>', 'id of the key, as mabs pool key list shows it')
    .addHelpText('after', examples('mabs pool key remove vault 5f0c9a2b1d3e4f60 --yes'))
    .action(async (name: string, keyId: string) => {
      const ports = await app.ports();
      const removed = await app.confirm(`Remove key ${keyId} of pool ${name}? Its passphrase will open the pool no longer.`);
      if (removed) await run(ports, { pool: name, keyId });
      app.render({ pool: name, keyId, removed }, (result) =>
        result.removed ? `Removed key ${result.keyId} of pool ${result.pool}` : `Key ${result.keyId} stays`,
      );
    });
}
