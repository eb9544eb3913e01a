import type { Command } from 'commander';
import { listGroups, membersOf } from '../core/groups.ts';
import type { Ports } from '../core/ports.ts';
import type { App } from './app.ts';
import { quotedWord } from './quoted-word.ts';
import { typedName } from './typed-name.ts';
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

/**
 * The selection that the arguments make. Where they name nothing, the members are asked for on a terminal, and the command line that
 * does the same is told: `command` is its beginning, with the options that were given.
 */
export async function selectionOf(
  app: App,
  ports: Ports,
  command: readonly string[],
  vms: readonly string[],
  { group, all }: MemberOptions,
) {
  const isEmpty = vms.length === 0 && group === undefined && !all;
  if (isEmpty && app.interactive) return { vms: await askMembers(app, ports, command) };
  return { vms, ...(group === undefined ? {} : { group }), ...(all ? { all } : {}) };
}

/** `now` or `later`. */
export function parseVerify(text: string): 'now' | 'later' {
  if (text === 'now' || text === 'later') return text;
  throw new UsageError(`--verify is now or later, not "${text}"`, 'Leave it out to read an initial replica back at once.');
}

/** What of the command line says when an initial replica is read back. */
export function verifyWords(verify: 'now' | 'later'): string[] {
  return verify === 'later' ? ['--verify', 'later'] : [];
}

async function askMembers(app: App, ports: Ports, command: readonly string[]): Promise<string[]> {
  const members = membersOf(await listGroups(ports));
  if (members.length === 0)
    throw new UsageError('no virtual machine is protected yet', 'Begin with: mabs protect --group NAME --member HOST/VM');
  const named = members.map(({ member, group }) => ({ host: member.host, name: member.vmName, id: member.vmId, hint: group.name }));
  const choices = named.map((vm) => ({ name: `${vm.host}/${vm.name}`, value: typedName(vm, named), hint: vm.hint }));
  for (;;) {
    const chosen = await app.chooseMany('Which virtual machines?', choices);
    if (chosen.length > 0) {
      app.note(`The same without questions: mabs ${[...command, ...chosen].map((word) => quotedWord(word)).join(' ')}`);
      return chosen;
    }
    app.note('Choose at least one (space marks it).');
  }
}
