import { Command } from 'commander';
import type { PoolConfiguration } from '../../core/ports.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';
import { table } from '../table.ts';

/** `mabs pool list`: what the home knows, without opening a pool. */
export function poolListCommand(app: App): Command {
  return new Command('list')
    .description('List the pools that this home knows.')
    .addHelpText('after', examples('mabs pool list', 'mabs pool list --json'))
    .action(async () => {
      const { home } = await app.ports();
      app.render(await home.listPools(), poolsView);
    });
}

function poolsView(pools: PoolConfiguration[]): string {
  if (pools.length === 0) return 'No pools yet: mabs pool add';
  return table(
    ['NAME', 'PATH', 'PASSPHRASE', ''],
    pools.map(({ name, path, secret, groupsUnconfirmed }) => [
      name,
      path,
      secret === undefined ? '' : 'file' in secret ? `file ${secret.file}` : 'command',
      groupsUnconfirmed ? 'groups wait for mabs group confirm' : '',
    ]),
  );
}
