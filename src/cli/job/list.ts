import { Command } from 'commander';
import type { Job } from '../../catalogs/catalog.ts';
import { listJobs } from '../../core/jobs.ts';
import { formatTime } from '../../lib/times.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';
import { table } from '../table.ts';
import { UsageError } from '../usage-error.ts';

export function jobListCommand(app: App, run = listJobs): Command {
  return new Command('list')
    .summary('List the jobs.')
    .option('--limit <count>', 'how many of the newest', '50')
    .addHelpText('after', examples('mabs job list', 'mabs job list --json'))
    .action(async ({ limit }: { limit: string }) => {
      const count = Number(limit);
      if (!Number.isSafeInteger(count) || count < 1)
        throw new UsageError(`--limit is a number from 1, not "${limit}"`, 'Write it like --limit 20.');
      app.render(await run(await app.ports(), count), jobsView);
    });
}

function jobsView(jobs: readonly Job[]): string {
  if (jobs.length === 0) return 'No job has run yet.';
  const rows = jobs.map(({ id, kind, state, startedAt, subjects }) => [
    id,
    kind,
    state,
    formatTime(Date.parse(startedAt)),
    subjects.join(' '),
  ]);
  return table(['ID', 'KIND', 'STATE', 'STARTED', 'ABOUT'], rows);
}
