import type { MemberReport } from '../core/member-report.ts';
import type { MembersOutcome, MembersReport } from '../core/run-members.ts';
import { formatDuration } from '../lib/durations.ts';
import { formatSize } from '../lib/sizes.ts';
import type { App, Style } from './app.ts';
import { describeFailure } from './failure.ts';

/**
 * Prints what a job did for its members and sets the exit code: 0 when all went well, 3 when some failed, the failure's own code when
 * all failed for reasons of one kind. A single failure is thrown, so that it is told as every other error is.
 */
export function renderMembers(app: App, { report, failures }: MembersOutcome): void {
  const codes = new Set(failures.map((failure) => describeFailure(failure, false).exitCode));
  const allFailed = report.members.length > 0 && failures.length === report.members.length;
  if (failures.length === 1 && allFailed && !app.json) throw failures[0];
  app.render(report, membersView);
  if (failures.length > 0) app.exitWith(!allFailed ? 3 : codes.size === 1 ? [...codes][0]! : 1);
}

export function membersView({ members }: MembersReport, style: Style): string {
  if (members.length === 0) return 'No virtual machine is protected yet.';
  return members.map((member) => memberView(member, style)).join('\n');
}

function memberView(member: MemberReport, style: Style): string {
  if (member.error) {
    const { message, hint, code } = member.error;
    return `${style.bad('✖')} ${style.bold(member.vm)}: ${message} [${code}]\n    ${hint}`;
  }
  const facts = [
    `${member.consistency}`,
    `${member.tracking}`,
    ...(member.disks ? transferFacts(member) : []),
    member.verified ? 'verified' : 'not yet verified',
    formatDuration(member.durationMs),
  ];
  const point = member.pointId === undefined ? '' : `\n    recovery point ${member.pointId}`;
  const why = (member.disks ?? []).filter(({ trackingReason }) => trackingReason !== undefined);
  const reasons = why.map(({ disk, tracking, trackingReason }) => `\n    ${disk} ${tracking}: ${trackingReason}`).join('');
  const lower = member.consistencyReason === undefined ? '' : `\n    ${style.warn(`${member.consistency}: ${member.consistencyReason}`)}`;
  return `${style.good('✔')} ${style.bold(member.vm)}: ${facts.join(', ')}${point}${lower}${reasons}`;
}

function transferFacts(member: MemberReport): string[] {
  const mended = member.blocksMended ? [`${member.blocksMended} blocks mended`] : [];
  return [
    `${formatSize(member.bytesScanned)} read`,
    `${formatSize(member.bytesChanged)} changed (${member.blocksDiffering} blocks)`,
    `${formatSize(member.bytesStored)} stored`,
    ...mended,
  ];
}
