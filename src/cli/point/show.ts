import { Command } from 'commander';
import { type PointDetails, showPoint } from '../../core/points.ts';
import { probePoint } from '../../core/probe/probe-point.ts';
import type { ProbeReport } from '../../core/probe/probe-report.ts';
import { formatSize } from '../../lib/sizes.ts';
import { formatTime } from '../../lib/times.ts';
import type { LeftOutNote } from '../../model/manifest.ts';
import type { App, Style } from '../app.ts';
import { examples } from '../examples.ts';
import { probeView } from './probe-view.ts';

export function pointShowCommand(app: App, run = showPoint, probe = probePoint): Command {
  return new Command('show')
    .summary('Show a recovery point.')
    .argument('<point>', 'HOST/VM@POINT or the id of a point')
    .option(
      '--probe',
      'look into its disks: partitions, file systems, and what the guest needs to start (exit code 4: something is damaged)',
    )
    .addHelpText('after', examples('mabs point show hv1/web@latest', 'mabs point show hv1/web@2026-11-20T18:00 --probe'))
    .action(async (point: string, options: { probe?: boolean }) => {
      const ports = await app.ports();
      const details = await run(ports, point);
      if (!options.probe) return app.render(details, pointView);
      const report = await app.withProgress('Probing', (onProgress) =>
        probe(ports, details.id, { signal: app.signal, onStep: (label) => onProgress({ label }) }),
      );
      app.render({ ...details, probe: report }, probedView);
      if (report.status === 'failed') app.exitWith(4);
    });
}

function probedView({ probe, ...point }: PointDetails & { readonly probe: ProbeReport }, style: Style): string {
  return `${pointView(point, style)}\n\n${probeView(probe, style)}`;
}

function pointView(point: PointDetails, style: Style): string {
  const because = (reason: string | undefined) => (reason === undefined ? '' : ` (${reason})`);
  const time = (at: string | undefined) => (at === undefined ? 'not yet' : formatTime(Date.parse(at)));
  const lines: [string, string][] = [
    ['captured', formatTime(Date.parse(point.capturedAt))],
    ['consistency', `${point.consistency}${because(point.consistencyReason)}`],
    ['tracking', `${point.tracking}${because(point.trackingReason)}`],
    ['verified', time(point.verifiedAt)],
    [
      'expires',
      point.hold ? `held by ${point.hold.owner}: ${point.hold.reason}` : point.expiresAt ? time(point.expiresAt) : 'never by policy',
    ],
    ['pool', point.pool],
    ['data', formatSize(point.size)],
  ];
  const disks = point.diskDetails.flatMap(({ disk, path, dataBytes, leftOutNotes }, index) => [
    `  ${disk}  ${formatSize(point.disks[index]!.virtualSize)} virtual, ${formatSize(dataBytes)} data, from ${path}`,
    ...leftOutNotes.map((note) => `         ${leftOutLine(note)}`),
  ]);
  return [`${style.bold(point.vm)}  ${point.id}`, ...lines.map(([name, text]) => `  ${name.padEnd(12)} ${text}`), ...disks].join('\n');
}

/** `left out: pagefile.sys of /disk0/p2 (1 GiB)`, or `kept whole: /disk0/p2 (its ntfs is not clean: …)`. */
function leftOutLine({ volume, what, bytes, kept }: LeftOutNote): string {
  if (kept === undefined) return `left out: ${what} of ${volume} (${formatSize(bytes ?? 0)})`;
  return `kept whole: ${what === undefined ? volume : `${what} of ${volume}`} (${kept})`;
}
