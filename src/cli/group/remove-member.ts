import { Command } from 'commander';
import { applyRemoval, planRemoval } from '../../core/remove-group.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';
import { carryOutRemoval } from './removal.ts';

export function groupRemoveMemberCommand(app: App, plan = planRemoval, apply = applyRemoval): Command {
  return new Command('remove-member')
    .summary('Stop protecting a VM.')
    .argument('<group>', 'the group')
    .argument('<vm>', 'the virtual machine as HOST/NAME')
    .option('--delete-data', 'move its recovery points to the trash, too')
    .option('--dry-run', 'show what would be done')
    .addHelpText('after', examples('mabs group remove-member servers hv1/web'))
    .action(async (group: string, member: string, { deleteData = false, dryRun = false }: { deleteData?: boolean; dryRun?: boolean }) => {
      const ports = await app.ports();
      await carryOutRemoval(app, await plan(ports, { group, member, deleteData }), dryRun, (planned) => apply(ports, planned));
    });
}
