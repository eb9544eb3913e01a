import { Command } from 'commander';
import { readHomeFile } from '../../core/home-files.ts';
import { getPoolConfiguration } from '../../core/open-ports.ts';
import { applyPrune, type PruneReport, planPrune, pruneForecast } from '../../core/prune.ts';
import { resolveSetting } from '../../core/settings.ts';
import { parseDuration } from '../../lib/durations.ts';
import { formatSize } from '../../lib/sizes.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';

interface Options {
  readonly trash?: string;
  readonly emptyTrash?: boolean;
  readonly dryRun?: boolean;
}

/** `mabs pool prune`. */
export function poolPruneCommand(app: App): Command {
  return new Command('prune')
    .description('Move what is older than its policy to the trash, empty the trash of what lay there long enough, and give the space back.')
    .argument('[name]', 'only this pool')
    .option('--trash <duration>', 'how long points lie in the trash (14d)')
    .option('--empty-trash', 'give the space of everything in the trash back at once')
    .option('--dry-run', 'only say what would be freed')
    .addHelpText('after', examples('mabs pool prune --dry-run', 'mabs pool prune main', 'mabs pool prune main --empty-trash --yes'))
    .action(async (name: string | undefined, { trash, emptyTrash = false, dryRun = false }: Options) => {
      const file = await readHomeFile(app.homePath, 'settings.json');
      const trashMs = parseDuration(resolveSetting('trash', { flag: trash, environment: app.environment, file }).value);
      const ports = await app.ports();
      const pool = name === undefined ? undefined : (await getPoolConfiguration(ports.home, name)).name;
      const request = { trashMs, emptyTrash, ...(pool !== undefined && { pool }) };
      const plan = await app.withProgress('Planning', (onProgress) => planPrune(ports, request, { signal: app.signal, onProgress }));
      const forecast = pruneForecast(plan);
      const purges = forecast.pools.reduce((sum, { purged }) => sum + purged.length, 0);
      const agreed =
        dryRun || !emptyTrash || purges === 0 || (await app.confirm(`Delete ${purges} recovery points in the trash for good?`));
      if (dryRun || !agreed) return app.render(forecast, pruneView);
      const report = await app.withProgress('Pruning', (onProgress) => applyPrune(ports, plan, { signal: app.signal, onProgress }));
      app.render(report, pruneView);
    });
}

function pruneView({ dryRun, pools, bytesFreed }: PruneReport): string {
  const lines = pools.map(({ pool, trashed, purged, bytesFreed: freed, unconfirmed }) => {
    const waiting = unconfirmed.length === 0 ? '' : `; groups that wait for mabs group confirm: ${unconfirmed.join(', ')}`;
    return `${pool}: ${trashed.length} points to the trash, ${purged.length} deleted, ${formatSize(freed)} freed${waiting}`;
  });
  if (pools.length === 0) lines.push('No pools yet: mabs pool add');
  if (pools.length > 1) lines.push(`Together ${formatSize(bytesFreed)}`);
  return dryRun ? ['This is what would be done:', ...lines].join('\n') : lines.join('\n');
}
