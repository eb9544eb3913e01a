import type { SecretReference } from '../core/ports.ts';
import { UsageError } from './usage-error.ts';

const HINT = 'Run mabs --help to see the options that every command takes.';

/** Options that every command takes, wherever they stand on the command line. */
export interface GlobalOptions {
  readonly home: string | undefined;
  readonly json: boolean;
  readonly yes: boolean;
  readonly debug: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
  /** As typed; `resolveOptions` knows what else they may come from. */
  readonly progress: string | undefined;
  readonly wait: string | undefined;
  readonly secretFlag: SecretReference | undefined;
  readonly secretVariable: SecretReference | undefined;
  readonly help: boolean;
  readonly version: boolean;
}

/** What the help shows of them. */
export const GLOBAL_OPTIONS: readonly (readonly [flags: string, summary: string])[] = [
  ['--home <dir>', 'the home (MABS_HOME)'],
  ['--json', 'print one JSON document on stdout'],
  ['--yes', 'answer every confirmation with yes'],
  ['--wait <duration>', 'wait for a lock, e.g. 10m'],
  ['--progress <mode>', 'auto, json or none'],
  ['--passphrase-file <file>', 'first line is the passphrase of an encrypted pool'],
  ['--passphrase-command <command>', 'prints the passphrase of an encrypted pool'],
  ['--no-color', 'no colours (NO_COLOR)'],
  ['--debug', 'show where an error comes from'],
  ['-v, --verbose', 'log more'],
  ['-h, --help', 'show help'],
];

const SWITCHES: Readonly<Record<string, string>> = {
  '--json': 'json',
  '--yes': 'yes',
  '-y': 'yes',
  '--debug': 'debug',
  '--verbose': 'verbose',
  '-v': 'verbose',
  '-vv': 'verbose',
  '--no-color': 'noColor',
  '--help': 'help',
  '-h': 'help',
  '--version': 'version',
};
const WITH_VALUE = ['--home', '--wait', '--progress', '--passphrase-file', '--passphrase-command'];

/** Splits a command line into the global options and the rest. Everything after `--` is the rest, `--` included. */
export function takeGlobalOptions(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): { readonly options: GlobalOptions; readonly rest: string[] } {
  const { values, switches, rest } = split(argv);
  const options: GlobalOptions = {
    home: values.get('--home'),
    json: switches.has('json'),
    yes: switches.has('yes'),
    debug: switches.has('debug'),
    verbose: switches.has('verbose'),
    color: !switches.has('noColor'),
    progress: values.get('--progress'),
    wait: values.get('--wait'),
    secretFlag: oneReference(
      values.get('--passphrase-file'),
      values.get('--passphrase-command'),
      '--passphrase-file and --passphrase-command',
    ),
    secretVariable: oneReference(
      nonEmpty(environment.MABS_PASSPHRASE_FILE),
      nonEmpty(environment.MABS_PASSPHRASE_COMMAND),
      'MABS_PASSPHRASE_FILE and MABS_PASSPHRASE_COMMAND',
    ),
    help: switches.has('help'),
    version: switches.has('version'),
  };
  return { options, rest };
}

/** Whether the errors of a command line are to be printed as JSON: asked also when the command line itself is the error. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json');
}

function split(argv: readonly string[]) {
  const values = new Map<string, string>();
  const switches = new Set<string>();
  const rest: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index]!;
    if (word === '--') {
      rest.push(...argv.slice(index));
      break;
    }
    const equals = word.indexOf('=');
    const flag = equals < 0 ? word : word.slice(0, equals);
    if (WITH_VALUE.includes(flag)) {
      const value = equals < 0 ? argv[++index] : word.slice(equals + 1);
      if (value === undefined || value === '') throw new UsageError(`option ${flag} needs a value`, HINT);
      values.set(flag, value);
    } else if (SWITCHES[word]) switches.add(SWITCHES[word]);
    else rest.push(word);
  }
  return { values, switches, rest };
}

function oneReference(file: string | undefined, command: string | undefined, both: string): SecretReference | undefined {
  if (file !== undefined && command !== undefined) throw new UsageError(`${both} exclude each other`, HINT);
  if (file !== undefined) return { file };
  return command === undefined ? undefined : { command };
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
