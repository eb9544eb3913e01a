import { Command } from 'commander';
import { applyRemoval, planRemoval } from '../../core/remove-group.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';
import { carryOutRemoval } from './removal.ts';

export function groupRemoveCommand(app: App, plan = planRemoval, apply = applyRemoval): Command {
  return new Command('remove')
    .summary('Remove a group.')
    .argument('<group>', 'the group')
    .option('--delete-data', 'move the recovery points of its members to the trash, too')
    .option('--dry-run', 'show what would be done')
    .addHelpText('after', examples('mabs group remove servers', 'mabs group remove servers --delete-data --yes'))
    .action(async (group: string, { deleteData = false, dryRun = false }: { deleteData?: boolean; dryRun?: boolean }) => {
      const ports = await app.ports();
      await carryOutRemoval(app, await plan(ports, { group, deleteData }), dryRun, (planned) => apply(ports, planned));
    });
}
