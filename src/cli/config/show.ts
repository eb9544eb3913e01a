import { Command } from 'commander';
import { showConfiguration } from '../../core/configuration.ts';
import type { ResolvedSetting } from '../../core/settings.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';
import { table } from '../table.ts';

/** `mabs config show`. */
export function configShowCommand(app: App, run = showConfiguration): Command {
  return new Command('show')
    .description(
      'Show every setting with its value and where that comes from: a flag, the environment, settings.json in the home, or nowhere.',
    )
    .addHelpText('after', examples('mabs config show', 'mabs config show --json'))
    .action(async () => {
      const { homePath, homeFrom, flags, environment } = app;
      app.render(await run({ homePath, homeFrom, flags, environment }), settingsView);
    });
}

function settingsView(settings: ResolvedSetting[]): string {
  return table(
    ['SETTING', 'VALUE', 'FROM'],
    settings.map(({ name, value, source, from }) => [name, value, from === undefined ? source : `${source} (${from})`]),
  );
}
