import { Command } from 'commander';
import { planRemoveHost, removeHost } from '../../core/hosts.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';

/** `mabs host remove`. */
export function hostRemoveCommand(app: App): Command {
  return new Command('remove')
    .description('Forget a host. Its recovery points stay and can be recovered to folders and other hosts.')
    .argument('<name>', 'the host')
    .option('--dry-run', 'only say what would be done')
    .addHelpText('after', examples('mabs host remove hv1', 'mabs host remove hv1 --yes'))
    .action(async (name: string, { dryRun = false }: { dryRun?: boolean }) => {
      const ports = await app.ports();
      const plan = await planRemoveHost(ports, name);
      const left = plan.protectedVms.length === 0 ? '' : ` ${plan.protectedVms.join(', ')} would be protected no longer.`;
      const removed = !dryRun && (await app.confirm(`Forget host ${plan.name}?${left}`));
      if (removed) await removeHost(ports, plan);
      app.render({ ...plan, removed }, (result) =>
        result.removed ? `Forgot host ${result.name}` : `Host ${result.name} stays${dryRun ? ` (dry run).${left}` : ''}`,
      );
    });
}
