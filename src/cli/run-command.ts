import { type Command, CommanderError } from 'commander';
import { findHome } from '../core/home-path.ts';
import type { Implementations } from '../core/implementations.ts';
import { firstCause } from '../core/job.ts';
import type { CommandBuilder } from './app.ts';
import type { CommandLog } from './command-log.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { describeFailure } from './failure.ts';
import type { GlobalOptions } from './global-options.ts';
import { globalHelp } from './help.ts';
import { completeArguments } from './missing-arguments.ts';
import { packageVersion } from './package-version.ts';
import type { ProgramEntry } from './program.ts';
import { resolveOptions } from './resolve-options.ts';
import { TerminalApp } from './terminal-app.ts';
import { UsageError } from './usage-error.ts';

export interface CommandCall {
  readonly entry: ProgramEntry;
  /** The words after the command's name, without the global options. */
  readonly rest: readonly string[];
  readonly help: boolean;
  readonly build: CommandBuilder;
}

export interface CommandContext {
  readonly options: GlobalOptions;
  readonly implementations: Implementations;
  readonly signal: AbortSignal;
}

/** Builds a command, runs it, and answers its exit code; rejects with what it threw, after everything it opened was closed. */
export async function runCommand({ entry, rest, help, build }: CommandCall, context: CommandContext): Promise<number> {
  const { implementations, signal } = context;
  const { path: homePath, from: homeFrom } = findHome(context.options.home, process.env, process.platform);
  const options = await resolveOptions(context.options, homePath, process.env, { readFile: !help && !entry.name.startsWith('config') });
  await using opened = new AsyncDisposableStack();
  let log: CommandLog | undefined;
  const app = new TerminalApp({
    options,
    homePath,
    homeFrom,
    streams: process,
    environment: process.env,
    signal,
    implementations,
    openPorts: async (self) => {
      const { openPorts } = await import('../core/open-ports.ts');
      const ports = opened.use(await openPorts(implementations, self));
      const { openCommandLog } = await import('./command-log.ts');
      log = openCommandLog(homePath, options.logLevel, { command: entry.name, version: packageVersion() });
      return ports;
    },
    onNote: (line) => log?.note(line),
  });
  const command = prepared(build(app), entry);
  if (help) {
    process.stdout.write(helpOf(command));
    return 0;
  }
  const words = command.commands.length > 0 ? [...rest] : await completeArguments(app, entry.name, command, rest);
  try {
    await command.parseAsync(words, { from: 'user' });
    // What could not be closed was not done.
    await opened.disposeAsync();
  } catch (thrown) {
    const error = thrown instanceof CommanderError ? usageError(thrown, entry) : thrown;
    log?.failed(describeFailure(error, signal.aborted), firstCause(error));
    throw error;
  }
  app.finish();
  const exitCode = signal.aborted && app.exitCode !== 0 ? EXIT_CODES.interrupted : app.exitCode;
  log?.finished(exitCode);
  return exitCode;
}

/** Commander's own help and messages are ours to print. */
function prepared(command: Command, entry: ProgramEntry): Command {
  const silent = { writeOut: () => {}, writeErr: () => {} };
  const quiet = (one: Command) => {
    one.exitOverride().configureOutput(silent).helpOption(false).allowExcessArguments(false);
    for (const child of one.commands) quiet(child);
  };
  quiet(command);
  if (!command.description()) command.description(command.summary() || entry.summary);
  return command.name(`mabs ${entry.name}`);
}

/** The command's own help with its examples, then the options of every command. */
function helpOf(command: Command): string {
  const text: string[] = [];
  command.configureOutput({ writeOut: (part) => text.push(part) }).outputHelp();
  return `${text.join('').trimEnd()}\n\n${globalHelp().join('\n')}\n`;
}

function usageError(error: CommanderError, entry: ProgramEntry): UsageError {
  const [message, suggestion] = error.message.replace(/^error: /, '').split('\n');
  const see = `Run mabs ${entry.name} --help for its options and for examples.`;
  return new UsageError(message!, suggestion ? `${suggestion.replace(/^\(|\)$/g, '')} ${see}` : see);
}
