import { userInfo } from 'node:os';
import { Command } from 'commander';
import { holdPoint } from '../../core/hold-point.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';

export function pointHoldCommand(app: App, run = holdPoint): Command {
  return new Command('hold')
    .summary('Keep a recovery point whatever the policy says.')
    .argument('<point>', 'HOST/VM@POINT or the id of a point')
    .requiredOption('--reason <text>', 'why it has to stay')
    .option('--until <time>', 'until when; until it is released when absent')
    .addHelpText(
      'after',
      examples(
        'mabs point hold hv1/web@latest --reason "before the upgrade"',
        'mabs point hold hv1/web@18:00 --reason audit --until 2027-01-01',
      ),
    )
    .action(async (point: string, { reason, until }: { reason: string; until?: string }) => {
      const request = { point, reason, owner: accountName(), ...(until === undefined ? {} : { until }) };
      app.render(
        await run(await app.ports(), request),
        ({ id, hold }) => `${id} is held${hold.until ? ` until ${hold.until}` : ''}: ${hold.reason}`,
      );
    });
}

/** A machine without an account database still holds points. */
function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
}
