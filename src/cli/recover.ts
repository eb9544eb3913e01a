import { Command } from 'commander';
import { getPoint, pointVm } from '../core/known-points.ts';
import { DEFAULT_KEEP_OLD_MS, type RecoverReport, recover } from '../core/recover.ts';
import { formatDuration, parseDuration, writeDuration } from '../lib/durations.ts';
import { formatSize } from '../lib/sizes.ts';
import type { App, Style } from './app.ts';
import { oneOf } from './policy-options.ts';
import { UsageError } from './usage-error.ts';

interface RecoverOptions {
  readonly to: string;
  readonly format?: string;
  readonly overwrite?: boolean;
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
    .argument('<point>', 'HOST/VM@POINT, HOST/VM@POINT:/diskN, or the id of a point')
    .requiredOption('--to <target>', 'folder:DIR, original or host:NAME')
    .option('--format <format>', 'to a folder: vhdx, vhd or raw (vhdx)')
    .option('--overwrite', 'to a folder: replace files that are there')
    .option('--keep-old <duration>', `to original: how long the replaced disks stay (${writeDuration(DEFAULT_KEEP_OLD_MS)})`)
    .option('--checkpoints <what>', 'to original: set-aside or refuse when the VM has host checkpoints (refuse)')
    .option('--path <dir>', 'to a host: folder for the files of the VM')
    .option('--name <name>', 'to a host: name of the new VM')
    .option('--network <map>', 'to a host: disconnect, keep, or OLD=NEW,… (disconnect)')
    .option('--make-highly-available', 'to a host of a cluster: add the VM to it')
    .option('--start', 'start the VM when it is complete')
    .addHelpText(
      'after',
      '\nExamples:\n  mabs recover hv1/web01@latest --to folder:/restore/web01\n  mabs recover hv1/web01@2026-11-20T18:00:/disk0 --to folder:/restore --format raw\n  mabs recover hv1/web01@latest --to original\n  mabs recover hv1/web01@latest --to host:hv2 --name web01-copy',
    )
    .action(async (point: string, options: RecoverOptions) => {
      const request = requestOf(point, options);
      if (options.to === 'original' && !app.yes) {
        const { point: found } = await getPoint(await app.ports(), point);
        const what = `the disks of ${pointVm(found)} by those captured at ${found.manifest.capturedAt}`;
        const agreed = await app.confirm(`Replace ${what}? A running VM is turned off.`);
        if (!agreed) throw new UsageError('nothing was recovered', 'Answer yes, or add --yes.');
      }
      const ports = await app.ports();
      const report = await app.withProgress('Recovering', (onProgress) => run(ports, { ...request, signal: app.signal, onProgress }));
      app.render(report, recoverView);
    });
}

function requestOf(point: string, options: RecoverOptions) {
  refuseMisplaced(options);
  const { to, format, overwrite, keepOld, checkpoints, path, name, network, makeHighlyAvailable, start } = options;
  return {
    point,
    to,
    ...(format === undefined ? {} : { format: oneOf('--format', format, ['vhdx', 'vhd', 'raw']) }),
    ...(overwrite ? { overwrite } : {}),
    ...(keepOld === undefined ? {} : { keepOldMs: parseDuration(keepOld) }),
    ...(checkpoints === undefined ? {} : { checkpoints: oneOf('--checkpoints', checkpoints, ['set-aside', 'refuse']) }),
    ...(path === undefined ? {} : { path }),
    ...(name === undefined ? {} : { name }),
    ...(network === undefined ? {} : { network: parseNetwork(network) }),
    ...(makeHighlyAvailable ? { highlyAvailable: true } : {}),
    ...(start ? { start } : {}),
  };
}

const BELONGS: Readonly<Record<string, readonly (keyof RecoverOptions)[]>> = {
  folder: ['format', 'overwrite'],
  original: ['keepOld', 'checkpoints', 'start'],
  host: ['path', 'name', 'network', 'makeHighlyAvailable', 'start'],
};

/** An option that the target does not know would be ignored: better to say so. */
function refuseMisplaced(options: RecoverOptions): void {
  const kind = options.to.split(':')[0]!;
  const own = BELONGS[kind];
  if (!own) return;
  for (const name of Object.values(BELONGS).flat()) {
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

function recoverView(report: RecoverReport, style: Style): string {
  const disks = report.disks.map(({ disk, path, bytesWritten }) => `  ${disk}  ${path}  ${formatSize(bytesWritten)} written, verified`);
  const files = (report.files ?? []).map((path) => `  ${path}`);
  const vm = report.vm === undefined ? [] : [`  virtual machine ${report.vm} {${report.vmId}}`];
  const old = (report.keptOld ?? []).map((path) => `  kept for a while: ${path}`);
  return [
    `${style.good('✔')} Recovered to ${report.target} in ${formatDuration(report.durationMs)}`,
    ...vm,
    ...disks,
    ...files,
    ...old,
  ].join('\n');
}
