import type { Implementations } from '../core/implementations.ts';
import { firstCause } from '../core/job.ts';
import { InterruptedError } from '../lib/errors.ts';
import { nearNames } from '../model/near-names.ts';
import type { CommandBuilder } from './app.ts';
import { describeFailure } from './failure.ts';
import { takeGlobalOptions, wantsJson } from './global-options.ts';
import { DocumentBegunError } from './print-list.ts';
import { commandsUnder, findCommand, type ProgramEntry, program } from './program.ts';
import { safeJson, safeText } from './safe-text.ts';
import { UsageError } from './usage-error.ts';

/** Runs one command line in this process and sets its exit code. Never rejects. */
export async function runCommandLine(argv: readonly string[], implementations: Implementations): Promise<void> {
  const stop = new AbortController();
  hookSignals(stop);
  const output = watchOutput();
  let exitCode: number;
  try {
    exitCode = await run(argv, implementations, stop.signal);
    await drained(process.stdout);
    if (output.failure !== undefined) throw output.failure;
  } catch (error) {
    exitCode = tellFailure(error, argv, stop.signal.aborted);
  }
  // What a command left open (a pipe, a timer) must not keep a finished process alive; what it wrote must get out first.
  await Promise.all([drained(process.stdout), drained(process.stderr)]);
  process.exit(exitCode);
}

async function run(argv: readonly string[], implementations: Implementations, signal: AbortSignal): Promise<number> {
  const { options, rest } = takeGlobalOptions(argv, process.env);
  const asksHelp = options.help || rest[0] === 'help';
  const words = rest[0] === 'help' ? rest.slice(1) : rest;
  if (words.length === 0 && !asksHelp && (options.version || options.verbose)) {
    if (!options.json) return printVersion();
    words.push('version');
  }
  if (words.length === 0) return printHelp([], asksHelp);
  const found = findCommand(words);
  if (!found) return withoutCommand(words, asksHelp);
  const { runCommand } = await import('./run-command.ts');
  return runCommand({ ...found, help: asksHelp, build: await builderOf(found.entry) }, { options, implementations, signal });
}

/** `mabs pool` and `mabs pool --help` list its commands; anything else that is no command is refused. */
function withoutCommand(words: readonly string[], asksHelp: boolean): Promise<number> {
  const noun = words.slice(0, 2).filter((word) => !word.startsWith('-'));
  while (noun.length > 0 && commandsUnder(noun).length === 0) noun.pop();
  if (noun.length > 0 && (noun.length === words.length || asksHelp)) return printHelp(noun, asksHelp);
  if (words[0]!.startsWith('-')) throw new UsageError(`unknown option ${words[0]}`, 'Run mabs --help to see the commands and options.');
  const typed = words.slice(0, noun.length + 1).join(' ');
  const names = program.map(({ name }) => name);
  const near = [...nearNames(words.slice(0, noun.length + 2).join(' '), names), ...nearNames(typed, names)];
  const hint =
    near.length > 0
      ? `Did you mean ${[...new Set(near)]
          .slice(0, 3)
          .map((name) => `mabs ${name}`)
          .join(' or ')}?`
      : 'Run mabs --help to see the commands.';
  throw new UsageError(`there is no command ${typed}`, hint);
}

/** On stdout with exit code 0 when help was asked for; where a command is missing, on stderr with 2. */
async function printHelp(noun: readonly string[], asked: boolean): Promise<number> {
  const { nounHelp, programHelp } = await import('./help.ts');
  const text = noun.length === 0 ? programHelp(program) : nounHelp(noun, commandsUnder(noun));
  (asked ? process.stdout : process.stderr).write(text);
  return asked ? 0 : 2;
}

/** What `mabs version` prints, without loading what runs commands. */
async function printVersion(): Promise<number> {
  const { versionLine } = await import('./package-version.ts');
  process.stdout.write(`${versionLine()}\n`);
  return 0;
}

/** The one export of a command's module whose name ends with `Command`. */
async function builderOf({ load }: ProgramEntry): Promise<CommandBuilder> {
  const exports = Object.entries(await load()).filter(([name, value]) => name.endsWith('Command') && typeof value === 'function');
  if (exports.length !== 1) throw new Error(`a command module exports ${exports.length} builders`);
  return exports[0]![1] as CommandBuilder;
}

function tellFailure(thrown: unknown, argv: readonly string[], interrupted: boolean): number {
  const { code, message, hint, exitCode } = describeFailure(thrown, interrupted);
  // stdout stays one document: one that was begun is not followed by another.
  const json = wantsJson(argv) && !(thrown instanceof DocumentBegunError);
  if (json) process.stdout.write(`${safeJson({ error: { code, message, hint } })}\n`);
  else process.stderr.write(`mabs: ${safeText(message)} [${code}]\n      ${safeText(hint)}\n`);
  if (argv.includes('--debug') || process.env.MABS_DEBUG === '1') process.stderr.write(`${stackOf(firstCause(thrown))}\n`);
  return exitCode;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

/** Ctrl-C and its kin ask the command to stop, up to the last moment: asked again, it is already cleaning up. */
function hookSignals(stop: AbortController): void {
  const windows: NodeJS.Signals[] = process.platform === 'win32' ? ['SIGBREAK'] : [];
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP', ...windows]) process.on(name, () => stop.abort(new InterruptedError()));
}

/** `mabs point list | head`: a reader that has enough is no error. What stdout cannot take (a full volume) is told at the end. */
function watchOutput(): { failure?: Error } {
  const output: { failure?: Error } = {};
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') output.failure ??= error;
  });
  // Where nothing can be told, there is nobody to tell it to.
  process.stderr.on('error', () => {});
  return output;
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) resolve();
    else stream.write('', () => resolve());
  });
}
