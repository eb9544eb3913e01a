import { Command } from 'commander';
import { listPoints, type PointRow } from '../../core/points.ts';
import { openPools } from '../../core/vault.ts';
import { formatSize } from '../../lib/sizes.ts';
import { formatTime } from '../../lib/times.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';
import { table } from '../table.ts';

export function pointListCommand(app: App, run = listPoints): Command {
  return new Command('list')
    .summary('List recovery points.')
    .argument('[vm]', 'of one virtual machine, as HOST/NAME; of all when absent')
    .addHelpText('after', examples('mabs point list', 'mabs point list hv1/web --json'))
    .action(async (vm: string | undefined) => {
      const ports = await app.ports();
      app.render(await run(ports, vm), pointsView);
      for (const { name } of (await openPools(ports)).unavailable) {
        app.note(`The pool ${name} cannot be opened now: its points are shown as they were last seen.`);
      }
    });
}

function pointsView(points: readonly PointRow[]): string {
  if (points.length === 0) return 'There is no recovery point yet. Make one with: mabs checkpoint --all';
  const rows = points.map((point) => [
    point.id,
    point.vm,
    formatTime(Date.parse(point.capturedAt)),
    point.consistency,
    point.tracking,
    formatSize(point.size),
    point.verifiedAt === undefined ? 'no' : 'yes',
    point.held ? 'held' : point.expiresAt === undefined ? '-' : formatTime(Date.parse(point.expiresAt)),
  ]);
  return table(['ID', 'VM', 'CAPTURED', 'CONSISTENCY', 'TRACKING', 'DATA', 'VERIFIED', 'EXPIRES'], rows);
}
