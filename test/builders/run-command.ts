import type { Command } from 'commander';

/** Runs a command as the program does: words from a user, nothing printed by the parser, failures thrown. */
export async function runCommand(command: Command, ...words: string[]): Promise<void> {
  command.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });
  await command.parseAsync(words, { from: 'user' });
}
