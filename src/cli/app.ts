import type { Command } from 'commander';
import type { DiskFormats } from '../disks/disk-format.ts';
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
  /** Raw bytes on stdout, for `cat`-like commands; resolves when they were taken. */
  writeOut(bytes: Uint8Array): Promise<void>;
  /** A line of prose on stderr; nothing with `--progress none`. */
  note(line: string): void;
  /** Runs with a live bar on a terminal, plain lines elsewhere, JSON lines with `--progress json`. */
  withProgress<T>(title: string, run: (onProgress: (progress: StepProgress) => void) => Promise<T>): Promise<T>;
  /** Asks yes or no. Without a terminal and without `--yes`: MABS-NEEDS-YES (kind usage). */
  confirm(question: string): Promise<boolean>;
  /** The process ends with this code although nothing was thrown (3 partly done, 4 damage found, …). */
  exitWith(code: number): void;
  diskFormats(): Promise<DiskFormats>;
  hostKinds(): Promise<HostKinds>;
}

/** A module of `cli/` exports one: built only when its command is called. */
export type CommandBuilder = (app: App) => Command;
