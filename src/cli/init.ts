import { Command } from 'commander';
import { initHome } from '../core/home.ts';
import type { App } from './app.ts';
import { examples } from './examples.ts';

/** `mabs init`. */
export function initCommand(app: App, run = initHome): Command {
  return new Command('init')
    .description('Make a home: where mabs keeps its configuration, its catalog and its log. On an existing one nothing changes.')
    .addHelpText('after', examples('mabs init', 'mabs init --home D:\\mabs'))
    .action(async () => {
      const { id, created } = await run(app.homePath, app);
      app.render({ home: app.homePath, id, created }, (result) =>
        result.created ? `Made a home in ${result.home}` : `${result.home} is a home already; nothing was changed`,
      );
    });
}
