import { Command } from 'commander';
import type { App } from './app.ts';
import { examples } from './examples.ts';
import { versionInfo, versionLine } from './package-version.ts';

/** `mabs version`, and `mabs --version`. */
export function versionCommand(app: App): Command {
  return new Command('version')
    .description('Print the versions of mabs and Node.js.')
    .addHelpText('after', examples('mabs version', 'mabs version --json'))
    .action(() => app.render(versionInfo(), versionLine));
}
