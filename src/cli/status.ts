import { Command } from 'commander';
import { type StatusReport, status, type VmStatus } from '../core/status.ts';
import { parseDuration } from '../lib/durations.ts';
import { formatTime } from '../lib/times.ts';
import type { App, Style } from './app.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { table } from './table.ts';

interface StatusOptions {
  readonly check?: boolean;
  readonly maxAge?: string;
  readonly verifiedWithin?: string;
  readonly drilledWithin?: string;
}

export function statusCommand(app: App, run = status): Command {
  return new Command('status')
    .summary('Show what is protected and what needs attention.')
    .option('--check', 'end with exit code 8 when what is asked for is not met (every VM has a point, where nothing else is asked)')
    .option('--max-age <duration>', 'with --check: age of the newest recovery point')
    .option('--verified-within <duration>', 'with --check: when a point was last verified')
    .option('--drilled-within <duration>', 'with --check: when a point was last drilled')
    .addHelpText('after', '\nExamples:\n  mabs status\n  mabs status --check --max-age 24h --verified-within 30d')
    .action(async (options: StatusOptions) => {
      const { maxAge, verifiedWithin, drilledWithin } = options;
      const criteria = {
        ...(maxAge === undefined ? {} : { maxAgeMs: parseDuration(maxAge) }),
        ...(verifiedWithin === undefined ? {} : { verifiedWithinMs: parseDuration(verifiedWithin) }),
        ...(drilledWithin === undefined ? {} : { drilledWithinMs: parseDuration(drilledWithin) }),
      };
      const checks = options.check === true || Object.keys(criteria).length > 0;
      const report = await run(await app.ports(), checks ? criteria : undefined);
      app.render(report, statusView);
      if (report.met === false) app.exitWith(EXIT_CODES.agreement);
    });
}

function statusView(report: StatusReport, style: Style): string {
  const parts = [vmsView(report.vms)];
  const broken = report.vms.flatMap(({ vm, violations }) => violations.map((text) => `${style.bad('✖')} ${vm}: ${text}`));
  if (broken.length > 0) parts.push(broken.join('\n'));
  if (report.met) parts.push(`${style.good('✔')} What was asked for is met.`);
  for (const { severity, subject, message } of report.alerts) {
    const mark = severity === 'info' ? 'ℹ' : severity === 'critical' ? style.bad('✖') : style.warn('!');
    parts.push(`${mark} ${subject}: ${message}`);
  }
  for (const { kind, subjects } of report.runningJobs) parts.push(`▶ ${kind} ${subjects.join(', ')}`);
  for (const name of report.unavailablePools) parts.push(`${style.warn('!')} The pool ${name} cannot be opened now.`);
  return parts.join('\n');
}

function vmsView(vms: readonly VmStatus[]): string {
  if (vms.length === 0) return 'No virtual machine is protected yet. Begin with: mabs protect --group NAME --member HOST/VM';
  const time = (at: string | undefined) => (at === undefined ? 'never' : formatTime(Date.parse(at)));
  const rows = vms.map((vm) => [
    vm.vm,
    vm.group,
    time(vm.lastSyncAt),
    time(vm.lastPointAt),
    String(vm.points),
    vm.consistency ?? '-',
    time(vm.verifiedAt),
    vm.state,
  ]);
  return table(['VM', 'GROUP', 'LAST SYNC', 'LAST POINT', 'POINTS', 'CONSISTENCY', 'VERIFIED', 'STATE'], rows);
}
