import { Command } from 'commander';
import { releasePoint } from '../../core/hold-point.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';

export function pointReleaseCommand(app: App, run = releasePoint): Command {
  return new Command('release')
    .summary('End a hold.')
    .argument('<point>', 'HOST/VM@POINT or the id of a point')
    .addHelpText('after', examples('mabs point release hv1/web@latest'))
    .action(async (point: string) => {
      const result = await run(await app.ports(), point);
      app.render(result, ({ id, released }) => (released ? `${id} is no longer held.` : `${id} was not held.`));
    });
}
