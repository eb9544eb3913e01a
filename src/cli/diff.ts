import { Command } from 'commander';
import type { DiskDifference } from '../core/diff/diff-disks.ts';
import type { ComparedFile, FileAspect } from '../core/diff/diff-files.ts';
import { type DiffReport, diffPoints, type VolumeDifference } from '../core/diff/diff-points.ts';
import type { PointFileDifference } from '../core/diff/renamed-files.ts';
import { formatSize } from '../lib/sizes.ts';
import { formatTime } from '../lib/times.ts';
import type { App, Style } from './app.ts';
import { examples } from './examples.ts';
import { table } from './table.ts';

/** More than a person reads; `--json` has all. */
const SHOWN_FILES = 200;

export function diffCommand(app: App, run = diffPoints): Command {
  return new Command('diff')
    .summary('Show what differs between two recovery points: files and blocks.')
    .argument('<before>', 'HOST/VM@POINT or the id of a point')
    .argument('<after>', 'the point to compare it with; of the same VM or of another')
    .addHelpText('after', examples('mabs diff hv1/web@2026-11-19 hv1/web@latest', 'mabs diff hv1/web@latest hv2/web-copy@latest --json'))
    .action(async (before: string, after: string) => {
      const ports = await app.ports();
      const report = await app.withProgress('Comparing', (onProgress) =>
        run(ports, { before, after, signal: app.signal, onStep: (label) => onProgress({ label }) }),
      );
      app.render(report, diffView);
      for (const note of report.notes) app.note(note);
    });
}

function diffView({ before, after, disks, volumes, totals }: DiffReport, style: Style): string {
  const point = ({ vm, id, capturedAt }: DiffReport['before']) => `${style.bold(vm)}  ${formatTime(Date.parse(capturedAt))}  ${id}`;
  const { added, removed, changed, renamed } = totals;
  return [
    `before  ${point(before)}`,
    `after   ${point(after)}`,
    '',
    table(['DISK', 'SIZE', 'BLOCKS CHANGED', 'BYTES CHANGED', 'LEFT OUT'], disks.map(diskRow), [1, 2, 3, 4]),
    ...volumes.flatMap((volume) => ['', ...volumeLines(volume, style)]),
    '',
    `${added} added, ${removed} removed, ${changed} changed, ${renamed} renamed; ${totals.blocksChanged} blocks changed (${formatSize(totals.bytesChanged)})`,
  ].join('\n');
}

function diskRow(disk: DiskDifference): string[] {
  const { change, sizeBefore, sizeAfter, blocksChanged, bytesChanged, bytesLeftOut } = disk;
  const sizes = sizeBefore === sizeAfter ? [sizeAfter] : [sizeBefore, sizeAfter];
  const size = sizes.map((bytes) => (bytes === undefined ? '-' : formatSize(bytes))).join(' > ');
  const compared = blocksChanged !== undefined && bytesChanged !== undefined;
  return [disk.disk, size, compared ? String(blocksChanged) : change, compared ? formatSize(bytesChanged) : '-', formatSize(bytesLeftOut)];
}

function volumeLines({ volume, fileSystem, change, files }: VolumeDifference, style: Style): string[] {
  const head = `${style.bold(volume)}${fileSystem === null ? '' : `  ${fileSystem}`}`;
  if (change === 'equal') return [`${head}  nothing changed`];
  if (change !== 'compared') return [`${head}  ${change === 'unread' ? 'its files were not compared' : change}`];
  if (files.length === 0) return [`${head}  no file changed`];
  const more = files.length > SHOWN_FILES ? [`  … and ${files.length - SHOWN_FILES} more: --json tells all.`] : [];
  return [head, ...files.slice(0, SHOWN_FILES).map((file) => fileLine(file, style)), ...more];
}

function fileLine(file: PointFileDifference, style: Style): string {
  switch (file.change) {
    case 'added':
      return `  ${style.good('+')} ${file.path}${sizeOf(file.after)}`;
    case 'removed':
      return `  ${style.bad('-')} ${file.path}${sizeOf(file.before)}`;
    case 'renamed':
      return `  ${style.warn('>')} ${file.from} is now ${file.path}`;
    case 'changed': {
      const { before, after, differs } = file;
      return `  ${style.warn('~')} ${file.path}  (${differs.map((aspect) => aspectOf(aspect, before, after)).join(', ')})`;
    }
  }
}

function aspectOf(aspect: FileAspect, before: ComparedFile, after: ComparedFile): string {
  if (aspect === 'type') return `${before.type} > ${after.type}`;
  return aspect === 'size' ? `${formatSize(before.size)} > ${formatSize(after.size)}` : aspect;
}

function sizeOf({ type, size }: { readonly type: string; readonly size: number }): string {
  return type === 'file' ? `  (${formatSize(size)})` : type === 'dir' ? '/' : '';
}
