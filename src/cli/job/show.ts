import { Command } from 'commander';
import type { Job } from '../../catalogs/catalog.ts';
import { getJob } from '../../core/jobs.ts';
import type { App, Style } from '../app.ts';
import { examples } from '../examples.ts';

export function jobShowCommand(app: App, run = getJob): Command {
  return new Command('show')
    .summary('Show a job and its result.')
    .argument('<id>', 'the id of a job, or its first digits')
    .addHelpText('after', examples('mabs job show 81f0e522'))
    .action(async (id: string) => {
      app.render(await run(await app.ports(), id), jobView);
    });
}

function jobView(job: Job, style: Style): string {
  return [
    `${style.bold(job.kind)}  ${job.id}`,
    `  state     ${job.state}`,
    `  started   ${job.startedAt}`,
    `  finished  ${job.finishedAt ?? '-'}`,
    `  about     ${job.subjects.join(' ') || '-'}`,
    ...(job.result === undefined ? [] : [JSON.stringify(job.result, undefined, 2)]),
  ].join('\n');
}
