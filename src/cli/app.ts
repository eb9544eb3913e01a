import type { Command } from 'commander';
import type { AdminPorts, Ports, SecretReference } from '../core/ports.ts';
import type { ResolvedSetting, SettingName } from '../core/settings.ts';
import type { DiskFormats } from '../disks/disk-format.ts';
import type { FileSystems } from '../filesystems/file-system.ts';
import type { HostKinds } from '../hosts/host.ts';
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';

/** Progress of one step; `doneBytes` and `totalBytes` may be absent where a step has no size. */
export interface StepProgress {
  readonly label: string;
  readonly doneBytes?: number;
  readonly totalBytes?: number;
}

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
  warn(text: string): string;
}

/** A question of a wizard. */
export interface Question {
  readonly message: string;
  /** What Enter alone answers. */
  readonly default?: string;
  /** Answers what is wrong with an answer, or throws a MabsError; nothing when it is good. */
  readonly check?: (answer: string) => string | undefined;
}

export interface Choice<T> {
  readonly name: string;
  readonly value: T;
  readonly hint?: string;
  /** Of `chooseMany`: chosen from the start. */
  readonly checked?: boolean;
}

/** What every command is given: the terminal, the global options, and the way to everything behind it. */
export interface App {
  readonly json: boolean;
  /** Answers every confirmation. */
  readonly yes: boolean;
  /** stdin and stdout are a terminal: wizards and prompts may be used. */
  readonly interactive: boolean;
  /** `--wait`, in milliseconds: how long to wait for a lock; 0: not at all. */
  readonly waitMs: number;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: Random;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Prints a result on stdout: as one JSON document with `--json`, else as `view` puts it. Names are made safe for a terminal. */
  render<T>(result: T, view: (result: T, style: Style) => string): void;
  /**
   * The same for a list of any length, as it comes: one JSON array, or a line each. A failure before much was printed prints the error
   * instead; after that the array is closed and the error is told on stderr. Stops quietly when nobody reads on.
   */
  renderEach<T>(items: AsyncIterable<T>, line: (item: T, style: Style) => string): Promise<void>;
  /** Raw bytes on stdout, for `cat`-like commands; resolves when they were taken. False: nobody reads on (`| head`). */
  writeOut(bytes: Uint8Array): Promise<boolean>;
  /** A line of prose on stderr; nothing with `--progress none`. */
  note(line: string): void;
  /** Runs with a live bar on a terminal, plain lines elsewhere, JSON lines with `--progress json`. */
  withProgress<T>(title: string, run: (onProgress: (progress: StepProgress) => void) => Promise<T>): Promise<T>;
  /** Asks yes or no. Without a terminal and without `--yes`: MABS-NEEDS-YES (kind usage). */
  confirm(question: string): Promise<boolean>;
  /** The process ends with this code although nothing was thrown (3 partly done, 4 damage found, …). */
  exitWith(code: number): void;
  /** Absolute path of the home (`--home`, MABS_HOME, the platform's data folder); it may not exist yet. */
  readonly homePath: string;
  /** Where the home's path comes from, and what was typed for settings: for `config show`. */
  readonly homeFrom: Pick<ResolvedSetting, 'source' | 'from'>;
  readonly flags: { readonly [Name in SettingName]?: string | undefined };
  /** `--passphrase-file` and `--passphrase-command` (or MABS_PASSPHRASE_FILE/_COMMAND), accepted by every command. */
  readonly secret: SecretReference | undefined;
  /**
   * The home and everything behind it, opened once and closed when the command has ended, also when it failed.
   * MABS-HOME-MISSING where there is no home. Commands that need no home never call it.
   */
  ports(): Promise<Ports>;
  /** The same ports, with what it takes to set a home up. */
  adminPorts(): Promise<AdminPorts>;
  /** A passphrase that came by flag and not by a variable: what `pool add` and `pool import` remember. */
  readonly secretToKeep: SecretReference | undefined;
  /** Asks for one line. Only when `interactive`. Ctrl-C: InterruptedError. */
  ask(question: Question): Promise<string>;
  /** Asks for a secret, unseen; `twice` has it typed again until both are the same, `flags` name it where nobody can be asked. */
  askSecret(message: string, options?: { readonly twice?: boolean; readonly flags?: string }): Promise<string>;
  /** Asks to pick one. Only when `interactive`. */
  choose<T>(message: string, choices: readonly Choice<T>[]): Promise<T>;
  /** Asks to pick one of many: `find` answers what fits what was typed so far. Only when `interactive`. */
  search<T>(message: string, find: (typed: string | undefined) => readonly Choice<T>[]): Promise<T>;
  /** Asks to pick any number. Only when `interactive`. */
  chooseMany<T>(message: string, choices: readonly Choice<T>[]): Promise<T[]>;
  diskFormats(): Promise<DiskFormats>;
  fileSystems(): Promise<FileSystems>;
  hostKinds(): Promise<HostKinds>;
}

/**
 * A module of `cli/` exports one, under a name that ends with `Command`; it is built only when its command is called. It declares
 * its own arguments and options (`--dry-run` among them where it applies); the global ones are taken out of the command line
 * before. Required arguments and mandatory options that are missing are asked for on a terminal, and named all at once elsewhere.
 */
export type CommandBuilder = (app: App) => Command;
