import { Command } from 'commander';
import { changeLabState } from '../../core/lab-state.ts';
import type { VmAction } from '../../hosts/host.ts';
import type { App } from '../app.ts';

/** The commands that change the state of a simulated VM differ in one word. */
export function labStateCommand(app: App, action: VmAction, summary: string, change = changeLabState): Command {
  return new Command(action)
    .summary(summary)
    .argument('<vm>', 'HOST/NAME, HOST/{GUID}, or the folder of a simulated VM')
    .addHelpText('after', `\nExamples:\n  mabs lab ${action} hv1/win-files\n  mabs lab ${action} ./lab/win-files`)
    .action(async (vm: string) => {
      const report = await change(app, vm, action);
      app.render(report, ({ vm: name, from, to }) => (from === to ? `${name} is ${to} already` : `${name} is ${to}, it was ${from}`));
    });
}
