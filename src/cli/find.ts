import { Command } from 'commander';
import { type FileVersion, type FindReport, type FoundPath, findFiles } from '../core/find/find-files.ts';
import { formatSize } from '../lib/sizes.ts';
import { formatTime } from '../lib/times.ts';
import type { App, Style } from './app.ts';
import { examples } from './examples.ts';
import { nothingFits } from './nothing-fits.ts';
import { quotedWord } from './quoted-word.ts';
import { table } from './table.ts';

/** More than a person reads; `--json` has all. */
const SHOWN_FILES = 200;

export function findCommand(app: App, run = findFiles): Command {
  return new Command('find')
    .summary('Find files in all recovery points, and which points hold which version.')
    .argument('<glob>', "names as '*.docx', or whole paths as '/Users/**/*.docx'")
    .option('--vm <vm>', 'in points of this virtual machine alone, as HOST/VM')
    .option('--since <time>', 'in points captured then or later, as 2026-11-20T18:00')
    .addHelpText('after', examples("mabs find 'notes*.txt'", "mabs find '/Users/**/*.xlsx' --vm hv1/files --since 2026-11-01"))
    .action(async (glob: string, options: { vm?: string; since?: string }) => {
      const ports = await app.ports();
      const report = await app.withProgress('Searching', (onProgress) =>
        run(ports, { glob, ...options, signal: app.signal, onStep: (label) => onProgress({ label }) }),
      );
      app.render(report, findView);
      if (report.files.length === 0 && glob.includes('\\')) app.note(nothingFits(glob));
      for (const note of report.notes) app.note(note);
    });
}

function findView({ files, points }: FindReport, style: Style): string {
  const searched = `${points} ${points === 1 ? 'point' : 'points'}`;
  if (files.length === 0) return `Nothing found in ${searched}.`;
  const shown = files.slice(0, SHOWN_FILES);
  const more = files.length > shown.length ? [`… and ${files.length - shown.length} more paths: --json tells all.`, ''] : [];
  const newest = shown[0]!.versions.at(-1)!;
  return [
    ...shown.map((file) => fileView(file, style)),
    ...more,
    `${files.length} ${files.length === 1 ? 'path' : 'paths'} in ${searched}. To bring a version back, name its point and path:`,
    `  mabs recover ${quotedWord(newest.source)} --to folder:DIR`,
  ].join('\n');
}

function fileView({ vm, path, versions }: FoundPath, style: Style): string {
  const rows = versions.toReversed().map((version) => [modified(version), size(version), ...held(version)]);
  const versionTable = table(['MODIFIED', 'SIZE', 'POINTS', 'FIRST CAPTURED', 'LAST CAPTURED', 'LAST POINT'], rows, [1, 2]);
  return `${style.bold(`${vm}:${path}`)}\n${versionTable.replaceAll(/^/gm, '  ')}\n`;
}

const modified = ({ modified: at }: FileVersion) => (at === undefined ? '-' : formatTime(Date.parse(at)));
const size = ({ type, size: bytes }: FileVersion) => (type === 'file' ? formatSize(bytes) : type);
const held = ({ points, first, last }: FileVersion) => [String(points), at(first), at(last), last.id];
const at = ({ capturedAt }: { readonly capturedAt: string }) => formatTime(Date.parse(capturedAt));
