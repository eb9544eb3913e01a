import { Command } from 'commander';
import { closeAlert } from '../../core/alerts.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';
import { alertView } from './show.ts';

export function alertResolveCommand(app: App, run = closeAlert): Command {
  return new Command('resolve')
    .summary('Mark an alert as done.')
    .argument('<id>', 'the id of an alert, or its first digits')
    .addHelpText('after', examples('mabs alert resolve 3f1b0ff2'))
    .action(async (id: string) => {
      app.render(await run(await app.ports(), id), alertView);
    });
}
