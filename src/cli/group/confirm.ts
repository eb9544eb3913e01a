import { Command } from 'commander';
import { type ConfirmReport, confirmGroups } from '../../core/confirm-groups.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';
import { UsageError } from '../usage-error.ts';

export function groupConfirmCommand(app: App, run = confirmGroups): Command {
  return new Command('confirm')
    .summary('Confirm the groups of an imported pool.')
    .argument('[group...]', 'groups whose policy may remove points again')
    .option('--all', 'all groups')
    .addHelpText('after', examples('mabs group confirm servers', 'mabs group confirm --all'))
    .action(async (names: string[], { all = false }: { all?: boolean }) => {
      if (names.length === 0 && !all) {
        throw new UsageError('mabs group confirm needs a group or --all', 'See `mabs group list` for what there is.');
      }
      app.render(await run(await app.ports(), { names, all }), confirmView);
    });
}

function confirmView({ confirmed, waiting }: ConfirmReport): string {
  const done = confirmed.length > 0 ? `Confirmed: ${confirmed.join(', ')}.` : 'There is no group to confirm.';
  return waiting.length > 0 ? `${done}\nStill waiting: ${waiting.join(', ')}.` : done;
}
