import { Command } from 'commander';
import { applyRemovePoint, planRemovePoint } from '../../core/hold-point.ts';
import { pointVm } from '../../core/known-points.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';

export function pointRemoveCommand(app: App, plan = planRemovePoint, apply = applyRemovePoint): Command {
  return new Command('remove')
    .summary('Move a recovery point to the trash.')
    .argument('<point>', 'HOST/VM@POINT or the id of a point')
    .option('--dry-run', 'show what would be removed')
    .addHelpText(
      'after',
      examples('mabs point remove hv1/web@2026-11-20T18:00', 'mabs point remove 3f1b0ff2-58a7-4a5c-93b3-f4b4f4d3c111 --yes'),
    )
    .action(async (text: string, { dryRun = false }: { dryRun?: boolean }) => {
      const ports = await app.ports();
      const point = await plan(ports, text);
      const { id, capturedAt } = point.manifest;
      const what = `${id} of ${pointVm(point)}, captured at ${capturedAt}`;
      if (dryRun) return app.render({ id, trashed: false }, () => `Would move ${what} to the trash.`);
      if (!(await app.confirm(`Move the recovery point ${what} to the trash?`))) {
        return app.render({ id, trashed: false }, () => 'Nothing was removed.');
      }
      app.render(
        await apply(ports, point),
        () => `${id} is in the trash; mabs pool prune gives its space back when its time there is over.`,
      );
    });
}
