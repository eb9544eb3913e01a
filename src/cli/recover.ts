import { Command } from 'commander';
import { getPoint, pointVm } from '../core/known-points.ts';
import { DEFAULT_KEEP_OLD_MS, type RecoverReport, type RecoverRequest, recover } from '../core/recover.ts';
import type { RecoveredFile } from '../core/recover-files.ts';
import { formatDuration, parseDuration, writeDuration } from '../lib/durations.ts';
import { formatSize } from '../lib/sizes.ts';
import { parsePointName } from '../model/names.ts';
import type { App, Style } from './app.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { oneOf } from './policy-options.ts';
import { UsageError } from './usage-error.ts';

interface RecoverOptions {
  readonly to: string;
  readonly format?: string;
  readonly overwrite?: boolean;
  readonly skip?: boolean;
  readonly rename?: boolean;
  readonly dryRun?: boolean;
  readonly links?: string;
  readonly names?: string;
  readonly owner?: boolean;
  readonly setId?: boolean;
  readonly keepOld?: string;
  readonly checkpoints?: string;
  readonly path?: string;
  readonly name?: string;
  readonly network?: string;
  readonly makeHighlyAvailable?: boolean;
  readonly start?: boolean;
}

export function recoverCommand(app: App, run = recover): Command {
  return new Command('recover')
    .summary('Bring back a VM, a disk or files.')
    .argument(
      '<point...>',
      'HOST/VM@POINT or the id of a point; to a folder also …:/diskN, …:/diskN/pN, …:/diskN/pN/PATH, …:/lv/VG/LV/PATH',
    )
    .requiredOption('--to <target>', 'folder:DIR, host-folder:HOST:PATH, original or host:NAME')
    .option('--format <format>', 'to a folder: format of whole disks: vhdx, vhd or raw (vhdx)')
    .option('--overwrite', 'to a folder: replace files that are there')
    .option('--skip', 'files: leave what is there as it is')
    .option('--rename', 'files: give what is recovered another name where one is there')
    .option('--dry-run', 'files: only list what would become of each')
    .option('--links <what>', 'files: keep symbolic links, or skip and only note them (keep)')
    .option('--names <rules>', 'files: which names the target takes: auto, posix or windows (auto)')
    .option('--owner', 'files: set owner and group, too (as root)')
    .option('--set-id', 'files: keep the set-user-id and set-group-id bits')
    .option('--keep-old <duration>', `to original: how long the replaced disks stay (${writeDuration(DEFAULT_KEEP_OLD_MS)})`)
    .option('--checkpoints <what>', 'to original: set-aside or refuse when the VM has host checkpoints (refuse)')
    .option('--path <dir>', 'to a host: folder for the files of the VM')
    .option('--name <name>', 'to a host: name of the new VM')
    .option('--network <map>', 'to a host: disconnect, keep, or OLD=NEW,… (disconnect)')
    .option('--make-highly-available', 'to a host of a cluster: add the VM to it')
    .option('--start', 'start the VM when it is complete')
    .addHelpText(
      'after',
      '\nExamples:\n  mabs recover hv1/web01@latest --to folder:/restore/web01\n  mabs recover hv1/web01@2026-11-20T18:00:/disk0 --to folder:/restore --format raw\n  mabs recover hv1/web01@latest:/disk0/p2/Users/ada/notes.txt hv1/db01@latest:/lv/rhel/root/etc --to folder:/restore\n  mabs recover hv1/web01@latest --to original\n  mabs recover hv1/web01@latest --to host:hv2 --name web01-copy',
    )
    .action(async (points: string[], options: RecoverOptions) => {
      const request = requestOf(points, options);
      if (options.to === 'original' && isWholeVm(points) && !app.yes) {
        const { point: found } = await getPoint(await app.ports(), points[0]!);
        const what = `the disks of ${pointVm(found)} by those captured at ${found.manifest.capturedAt}`;
        const agreed = await app.confirm(`Replace ${what}? A running VM is turned off.`);
        if (!agreed) throw new UsageError('nothing was recovered', 'Answer yes, or add --yes.');
      }
      const ports = await app.ports();
      const report = await app.withProgress('Recovering', (onProgress) => run(ports, { ...request, signal: app.signal, onProgress }));
      app.render(report, recoverView);
      if (report.status === 'partly') app.exitWith(EXIT_CODES.partly);
    });
}

/** What is less than that is refused by the use case: nothing to agree to. */
function isWholeVm(points: readonly string[]): boolean {
  return points.length === 1 && (parsePointName(points[0]!).path ?? '/') === '/';
}

function requestOf(points: readonly string[], options: RecoverOptions): RecoverRequest {
  refuseMisplaced(options);
  const { to, format, keepOld, checkpoints, path, name, network, makeHighlyAvailable, start } = options;
  return {
    point: points,
    to,
    ...existingOf(options),
    ...filesOf(options),
    ...(format === undefined ? {} : { format: oneOf('--format', format, ['vhdx', 'vhd', 'raw']) }),
    ...(keepOld === undefined ? {} : { keepOldMs: parseDuration(keepOld) }),
    ...(checkpoints === undefined ? {} : { checkpoints: oneOf('--checkpoints', checkpoints, ['set-aside', 'refuse']) }),
    ...(path === undefined ? {} : { path }),
    ...(name === undefined ? {} : { name }),
    ...(network === undefined ? {} : { network: parseNetwork(network) }),
    ...(makeHighlyAvailable ? { highlyAvailable: true } : {}),
    ...(start ? { start } : {}),
  };
}

function existingOf({ overwrite, skip, rename }: RecoverOptions): Pick<RecoverRequest, 'existing'> {
  const ways = { overwrite, skip, rename };
  const chosen = (['overwrite', 'skip', 'rename'] as const).filter((way) => ways[way]);
  if (chosen.length > 1) {
    const flags = chosen.map((way) => `--${way}`).join(' and ');
    throw new UsageError(`${flags} exclude each other`, 'Choose one; without any, what is there already is refused.');
  }
  const [existing] = chosen;
  return existing === undefined ? {} : { existing };
}

function filesOf({ dryRun, links, names, owner, setId }: RecoverOptions): Pick<RecoverRequest, 'files'> {
  const files = {
    ...(dryRun ? { dryRun } : {}),
    ...(links === undefined ? {} : { links: oneOf('--links', links, ['keep', 'skip']) }),
    ...(names === undefined ? {} : { names: oneOf('--names', names, ['auto', 'posix', 'windows']) }),
    ...(owner ? { owner } : {}),
    ...(setId ? { setId } : {}),
  };
  return { files };
}

const OF_FOLDERS = ['format', 'overwrite', 'skip', 'rename', 'dryRun', 'links', 'names', 'owner', 'setId'] as const;

const BELONGS: Readonly<Record<string, readonly (keyof RecoverOptions)[]>> = {
  folder: OF_FOLDERS,
  'host-folder': OF_FOLDERS,
  original: ['keepOld', 'checkpoints', 'start'],
  host: ['path', 'name', 'network', 'makeHighlyAvailable', 'start'],
};

/** An option that the target does not know would be ignored: better to say so. */
function refuseMisplaced(options: RecoverOptions): void {
  const kind = options.to.split(':')[0]!;
  const own = BELONGS[kind];
  if (!own) return;
  for (const name of new Set(Object.values(BELONGS).flat())) {
    if (options[name] === undefined || own.includes(name)) continue;
    const flag = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new UsageError(`${flag} has no meaning with --to ${kind}`, 'Run mabs recover --help for what belongs to which target.');
  }
}

function parseNetwork(text: string): 'disconnect' | 'keep' | Record<string, string> {
  if (text === 'disconnect' || text === 'keep') return text;
  const pairs = text.split(',').map((pair) => pair.split('='));
  if (pairs.some((pair) => pair.length !== 2 || pair.some((part) => part.trim() === ''))) {
    throw new UsageError(`--network is disconnect, keep or OLD=NEW,…, not "${text}"`, 'Write it like --network Production=Lab.');
  }
  return Object.fromEntries(pairs.map(([from, to]) => [from!.trim(), to!.trim()]));
}

/** Files that are listed one by one; of more there is a sum. */
const MOST_LINES = 20;

function recoverView(report: RecoverReport, style: Style): string {
  const disks = report.disks.map(({ disk, path, bytesWritten }) => `  ${disk}  ${path}  ${formatSize(bytesWritten)} written, verified`);
  const vm = report.vm === undefined ? [] : [`  virtual machine ${report.vm} {${report.vmId}}`];
  const old = (report.keptOld ?? []).map((path) => `  kept for a while: ${path}`);
  const mark = report.status === 'ok' ? style.good('✔') : style.warn('!');
  const title = report.dryRun ? 'Would recover' : report.status === 'ok' ? 'Recovered' : 'Partly recovered';
  const extras = report.extras === undefined ? [] : [`  what the folder cannot hold: ${report.extras}`];
  return [
    `${mark} ${title} to ${report.target} in ${formatDuration(report.durationMs)}`,
    ...vm,
    ...disks,
    ...fileLines(report.files ?? [], style),
    ...countLines(report, style),
    ...extras,
    ...old,
  ].join('\n');
}

function fileLines(files: readonly RecoveredFile[], style: Style): string[] {
  const lines = files.slice(0, MOST_LINES).flatMap((file) => fileLine(file, style));
  return files.length > MOST_LINES ? [...lines, `  … and ${files.length - MOST_LINES} more (--json lists them)`] : lines;
}

function fileLine({ path, source, status, originalName, note, error }: RecoveredFile, style: Style): string[] {
  const name = originalName === undefined ? '' : style.dim(`  (was ${JSON.stringify(originalName)})`);
  if (error) return [`  ${style.bad('✘')} ${source}`, `      ${error.message} [${error.code}]`];
  const why =
    status === 'skipped'
      ? style.dim('  skipped: there already')
      : status === 'noted'
        ? style.dim(`  not made${note === undefined ? '' : `: ${note}`}`)
        : '';
  return [`  ${path}${name}${why}`];
}

function countLines({ counts, dryRun }: RecoverReport, style: Style): string[] {
  if (!counts) return [];
  const { files, folders, links, skipped, failed, renamed, bytesWritten } = counts;
  const sums = [
    counted(files, 'file'),
    counted(folders, 'folder'),
    counted(links, 'link'),
    ...(dryRun ? [] : [`${formatSize(bytesWritten)} written`]),
  ];
  const notable = [
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ...(renamed > 0 ? [`${renamed} under another name`] : []),
    ...(failed > 0 ? [style.bad(`${failed} failed`)] : []),
  ];
  return [`  ${[...sums, ...notable].join(', ')}`];
}

function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
