import { GLOBAL_OPTIONS } from './global-options.ts';
import type { ProgramEntry } from './program.ts';

/** What `mabs --help` prints. */
export function programHelp(program: readonly ProgramEntry[]): string {
  const width = Math.max(...program.map(({ name }) => name.length));
  const sections = Map.groupBy(program, ({ section }) => section);
  const lines = ['Usage: mabs <command> [options]', '', 'Block-level backup and recovery for Hyper-V virtual machines.'];
  for (const [section, entries] of sections) {
    lines.push('', `${section}:`, ...entries.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`));
  }
  lines.push('', ...globalHelp(), '', 'mabs <command> --help shows the options of a command, with examples.');
  return `${lines.join('\n')}\n`;
}

/** What `mabs pool --help` prints. */
export function nounHelp(words: readonly string[], entries: readonly ProgramEntry[]): string {
  const width = Math.max(...entries.map(({ name }) => name.length));
  const lines = [`Usage: mabs ${words.join(' ')} <command> [options]`, ''];
  lines.push(...entries.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`));
  lines.push('', `mabs ${entries[0]!.name} --help shows its options, with examples.`);
  return `${lines.join('\n')}\n`;
}

/** The options that every command takes, as lines. */
export function globalHelp(): string[] {
  const width = Math.max(...GLOBAL_OPTIONS.map(([flags]) => flags.length));
  return ['Options of every command:', ...GLOBAL_OPTIONS.map(([flags, summary]) => `  ${flags.padEnd(width)}  ${summary}`)];
}
