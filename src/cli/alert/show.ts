import { Command } from 'commander';
import type { Alert } from '../../catalogs/catalog.ts';
import { getAlert } from '../../core/alerts.ts';
import type { App, Style } from '../app.ts';
import { examples } from '../examples.ts';

export function alertShowCommand(app: App, run = getAlert): Command {
  return new Command('show')
    .summary('Show an alert.')
    .argument('<id>', 'the id of an alert, or its first digits')
    .addHelpText('after', examples('mabs alert show 3f1b0ff2'))
    .action(async (id: string) => {
      app.render(await run(await app.ports(), id), alertView);
    });
}

export function alertView(alert: Alert, style: Style): string {
  return [
    `${style.bold(alert.subject)}: ${alert.message} [${alert.code}]`,
    `  ${alert.hint}`,
    `  ${alert.severity}, raised ${alert.raisedAt}, ${alert.count} times${alert.resolvedAt === undefined ? '' : `, resolved ${alert.resolvedAt}`}`,
    `  ${alert.id}`,
  ].join('\n');
}
