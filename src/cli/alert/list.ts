import { Command } from 'commander';
import type { Alert } from '../../catalogs/catalog.ts';
import { listAlerts } from '../../core/alerts.ts';
import { formatTime } from '../../lib/times.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';
import { table } from '../table.ts';

export function alertListCommand(app: App, run = listAlerts): Command {
  return new Command('list')
    .summary('List what needs attention.')
    .option('--resolved', 'with what was resolved, too')
    .addHelpText('after', examples('mabs alert list', 'mabs alert list --resolved --json'))
    .action(async ({ resolved = false }: { resolved?: boolean }) => {
      app.render(await run(await app.ports(), { resolved }), alertsView);
    });
}

function alertsView(alerts: readonly Alert[]): string {
  if (alerts.length === 0) return 'Nothing needs attention.';
  const rows = alerts.map(({ id, severity, subject, raisedAt, count, resolvedAt, message }) => [
    id.slice(0, 8),
    resolvedAt === undefined ? severity : 'resolved',
    formatTime(Date.parse(raisedAt)),
    String(count),
    subject,
    message,
  ]);
  return table(['ID', 'SEVERITY', 'RAISED', 'TIMES', 'ABOUT', 'WHAT'], rows);
}
