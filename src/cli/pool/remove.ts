import { Command } from 'commander';
import { planRemovePool, removePool } from '../../core/pools.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';

/** `mabs pool remove`. */
export function poolRemoveCommand(app: App): Command {
  return new Command('remove')
    .description('Forget a pool. Nothing in its folder is touched; mabs pool import brings it back.')
    .argument('<name>', 'the pool')
    .option('--dry-run', 'only say what would be done')
    .addHelpText('after', examples('mabs pool remove old', 'mabs pool remove old --yes'))
    .action(async (name: string, { dryRun = false }: { dryRun?: boolean }) => {
      const ports = await app.ports();
      const { pool, groups } = await planRemovePool(ports, name);
      const used = groups.length === 0 ? '' : ` Its groups ${groups.join(', ')} would be protected no longer.`;
      const removed = !dryRun && (groups.length === 0 || (await app.confirm(`Forget pool ${pool.name}?${used}`)));
      if (removed) await removePool(ports, pool);
      app.render({ name: pool.name, path: pool.path, groups, removed }, (result) =>
        result.removed
          ? `Forgot pool ${result.name}; its data stays in ${result.path}`
          : `Pool ${result.name} stays${dryRun ? ` (dry run).${used}` : ''}`,
      );
    });
}
