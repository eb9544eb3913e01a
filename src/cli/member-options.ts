import type { Command } from 'commander';
import { UsageError } from './usage-error.ts';

export interface MemberOptions {
  readonly group?: string;
  readonly all?: boolean;
}

/** The arguments by which the jobs name their members. */
export function withMembers(command: Command): Command {
  return command
    .argument('[vm...]', 'virtual machines as HOST/NAME')
    .option('--group <name>', 'every member of this protection group')
    .option('--all', 'every member of every group');
}

/** The selection that the arguments make. */
export function selectionOf(vms: readonly string[], { group, all }: MemberOptions) {
  return { vms, ...(group === undefined ? {} : { group }), ...(all ? { all } : {}) };
}

/** `now` or `later`. */
export function parseVerify(text: string): 'now' | 'later' {
  if (text === 'now' || text === 'later') return text;
  throw new UsageError(`--verify is now or later, not "${text}"`, 'Leave it out to read an initial replica back at once.');
}
