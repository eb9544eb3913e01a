import type { Implementations } from '../core/implementations.ts';
import type { AdminPorts, Ports } from '../core/ports.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import type { App, StepProgress, Style } from './app.ts';
import { printJsonArray, printLines } from './print-list.ts';
import { jsonProgress, lineProgress, liveProgress, noProgress, type ProgressDisplay } from './progress.ts';
import { type Prompts, terminalPrompts } from './prompts.ts';
import type { ResolvedOptions } from './resolve-options.ts';
import { safeJson, safeText, safeTexts } from './safe-text.ts';
import { isLive, showsColor, styleFor } from './style.ts';
import { NeedsYesError, UsageError } from './usage-error.ts';

const READER_GONE: ReadonlySet<string> = new Set(['EPIPE', 'ERR_STREAM_DESTROYED']);

export interface Streams {
  readonly stdin: { readonly isTTY?: boolean };
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

export interface TerminalAppOptions {
  readonly options: ResolvedOptions;
  readonly homePath: string;
  readonly homeFrom: App['homeFrom'];
  readonly streams: Streams;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly implementations: Implementations;
  readonly openPorts: (app: App) => Promise<AdminPorts>;
  /** Told every line of prose, for the log. */
  readonly onNote: (line: string) => void;
}

/** The App of a process: its streams, its terminal if there is one, and the implementations that main.ts joined. */
export class TerminalApp implements App {
  readonly json: boolean;
  readonly yes: boolean;
  readonly interactive: boolean;
  readonly waitMs: number;
  readonly signal: AbortSignal;
  readonly clock = systemClock;
  readonly random = systemRandom;
  readonly environment: App['environment'];
  readonly homePath: string;
  readonly homeFrom: App['homeFrom'];
  readonly flags: App['flags'];
  readonly secret: App['secret'];
  readonly secretToKeep: App['secret'];
  /** What `exitWith` said last. */
  exitCode = 0;
  readonly #settings: TerminalAppOptions;
  readonly #prompts: Prompts;
  readonly #style: Style;
  #display: ProgressDisplay = noProgress;
  #document: string | undefined;
  #ports: Promise<AdminPorts> | undefined;

  constructor(settings: TerminalAppOptions) {
    const { options, streams, environment } = settings;
    this.#settings = settings;
    this.json = options.json;
    this.yes = options.yes;
    this.interactive = !options.json && streams.stdin.isTTY === true && streams.stdout.isTTY === true && !environment.CI;
    this.waitMs = options.waitMs;
    this.signal = settings.signal;
    this.environment = environment;
    this.homePath = settings.homePath;
    this.homeFrom = settings.homeFrom;
    this.flags = options.typed;
    this.secret = options.secretFlag ?? options.secretVariable;
    this.secretToKeep = options.secretFlag;
    settings.signal.addEventListener('abort', () => this.note('Stopping, cleaning up …'), { once: true });
    this.#prompts = terminalPrompts(settings.signal);
    this.#style = styleFor(showsColor(streams.stdout, options.color, environment));
  }

  render<T>(result: T, view: (result: T, style: Style) => string): void {
    if (this.json) {
      // Kept until the end: a failure after it prints the error instead, and stdout stays one document.
      this.#document = safeJson(result, this.#settings.streams.stdout.isTTY ? 2 : undefined);
      return;
    }
    const text = view(safeTexts(result), this.#style);
    if (text !== '') this.#settings.streams.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** Writes the document that `render` kept. Called once, when the command has succeeded. */
  finish(): void {
    if (this.#document !== undefined) this.#settings.streams.stdout.write(`${this.#document}\n`);
  }

  async renderEach<T>(items: AsyncIterable<T>, line: (item: T, style: Style) => string): Promise<void> {
    const write = (text: string) => this.writeOut(Buffer.from(text));
    if (!this.json) return printLines(items, (item) => line(safeTexts(item), this.#style), write);
    // Kept until the end where it is short, as by `render`.
    this.#document = await printJsonArray(items, write);
  }

  writeOut(bytes: Uint8Array): Promise<boolean> {
    const { stdout } = this.#settings.streams;
    return new Promise((resolve, reject) => {
      stdout.write(bytes, (error) => {
        if (!error) resolve(true);
        // A reader that went away has had what it wanted; what is written after that finds the stream destroyed.
        else if (READER_GONE.has((error as NodeJS.ErrnoException).code ?? '')) resolve(false);
        else reject(error);
      });
    });
  }

  note(line: string): void {
    this.#settings.onNote(line);
    if (this.#settings.options.progress !== 'auto') return;
    this.#display.interrupt(() => this.#writeLine(safeText(line)));
  }

  async withProgress<T>(title: string, run: (onProgress: (progress: StepProgress) => void) => Promise<T>): Promise<T> {
    const outer = this.#display;
    // What runs inside another step reports through the display that is already there.
    if (outer !== noProgress) return run((progress) => outer.update(progress));
    const display = await this.#openDisplay(title);
    this.#display = display;
    try {
      return await run((progress) => display.update(progress));
    } finally {
      this.#display = outer;
      display.stop();
    }
  }

  async confirm(question: string): Promise<boolean> {
    if (this.yes) return true;
    if (!this.interactive) throw new NeedsYesError(question);
    return this.#paused(() => this.#prompts.confirm(question));
  }

  ask: App['ask'] = (question) => this.#asked(question.message, () => this.#prompts.ask(question));
  choose: App['choose'] = (message, choices) => this.#asked(message, () => this.#prompts.choose(message, choices));
  search: App['search'] = (message, find) => this.#asked(message, () => this.#prompts.search(message, find));
  chooseMany: App['chooseMany'] = (message, choices) => this.#asked(message, () => this.#prompts.chooseMany(message, choices));
  /** Asked also when stdout is a file or a pipe: the prompt is on stderr. */
  askSecret: App['askSecret'] = (message, options) => {
    const { stdin, stderr } = this.#settings.streams;
    if (!stdin.isTTY || !stderr.isTTY)
      throw new UsageError(
        `${message}: there is no terminal to ask on`,
        `Use ${options?.flags ?? '--passphrase-file or --passphrase-command'}.`,
      );
    return this.#paused(() => this.#prompts.askSecret(message, options));
  };

  exitWith(code: number): void {
    this.exitCode = code;
  }

  ports(): Promise<Ports> {
    return this.adminPorts();
  }

  adminPorts(): Promise<AdminPorts> {
    this.#ports ??= this.#settings.openPorts(this);
    return this.#ports;
  }

  diskFormats = () => this.#settings.implementations.diskFormats();
  fileSystems = () => this.#settings.implementations.fileSystems();
  hostKinds = () => this.#settings.implementations.hostKinds();

  async #asked<T>(message: string, ask: () => Promise<T>): Promise<T> {
    if (!this.interactive)
      throw new UsageError(`${message}: there is no terminal to ask on`, 'Give it on the command line; --help shows how.');
    return this.#paused(ask);
  }

  /** A question on a line that is drawn over would not be seen. */
  async #paused<T>(ask: () => Promise<T>): Promise<T> {
    this.#display.stop();
    return ask();
  }

  async #openDisplay(title: string): Promise<ProgressDisplay> {
    const { options, streams, environment } = this.#settings;
    const write = (line: string) => this.#writeLine(line);
    if (options.progress === 'none') return { ...noProgress };
    if (options.progress === 'json') return jsonProgress(this.clock, write);
    if (!isLive(streams.stderr, environment)) return lineProgress(title, this.clock, write);
    return liveProgress(title, this.clock, streams.stderr, showsColor(streams.stderr, options.color, environment));
  }

  #writeLine(line: string): void {
    this.#settings.streams.stderr.write(`${line}\n`);
  }
}
