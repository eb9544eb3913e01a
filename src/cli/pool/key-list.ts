import { Command } from 'commander';
import { listPoolKeys, type PoolKey } from '../../core/pool-keys.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';
import { table } from '../table.ts';

/** `mabs pool key list`. */
export function poolKeyListCommand(app: App, run = listPoolKeys): Command {
  return new Command('list')
    .description('List the keys that open an encrypted pool.')
    .argument('<name>', 'the pool')
    .addHelpText('after', examples('mabs pool key list vault'))
    .action(async (name: string) => app.render(await run(await app.ports(), name), keysView));
}

function keysView(keys: readonly PoolKey[]): string {
  return table(
    ['KEY', 'KIND', 'MADE'],
    keys.map(({ keyId, kind, createdAt }) => [keyId, kind, createdAt]),
  );
}
