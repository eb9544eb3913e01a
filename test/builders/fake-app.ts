import { randomBytes, randomUUID } from 'node:crypto';
import type { App, StepProgress, Style } from '../../src/cli/app.ts';
import { diskFormats } from '../../src/disks/registry.ts';
import { fileSystems } from '../../src/filesystems/registry.ts';
import { MabsError } from '../../src/lib/errors.ts';

/** What a command did to the terminal. */
export interface FakeApp extends App {
  /** What was printed on stdout, views and raw bytes alike. */
  readonly stdout: () => string;
  readonly stdoutBytes: () => Uint8Array;
  readonly stderr: () => string;
  /** The results handed to `render`, newest last. */
  readonly rendered: readonly unknown[];
  readonly progress: readonly StepProgress[];
  /** What the process would end with, were nothing thrown. */
  readonly exitCode: () => number;
}

const plain: Style = { bold: (text) => text, dim: (text) => text, good: (text) => text, bad: (text) => text, warn: (text) => text };

/**
 * An `App` that captures what a command prints, with the real disk formats and no host kinds, home or wizard. Everything can be replaced:
 * `fakeApp({ json: true, answers: [true] })`.
 */
export function fakeApp(overrides: Partial<App> & { readonly answers?: readonly boolean[] } = {}): FakeApp {
  const out: Uint8Array[] = [];
  const notes: string[] = [];
  const rendered: unknown[] = [];
  const progress: StepProgress[] = [];
  const answers = [...(overrides.answers ?? [])];
  let code = 0;
  const app: App = {
    json: false,
    yes: false,
    interactive: false,
    waitMs: 0,
    signal: new AbortController().signal,
    clock: { now: () => Date.UTC(2026, 10, 20, 18) },
    random: { bytes: (length) => randomBytes(length), uuid: () => randomUUID() },
    environment: {},
    render(result, view) {
      rendered.push(result);
      out.push(Buffer.from(`${this.json ? JSON.stringify(result) : view(result, plain)}\n`));
    },
    async renderEach(items, line) {
      const all = await Array.fromAsync(items);
      rendered.push(all);
      out.push(Buffer.from(this.json ? `${JSON.stringify(all)}\n` : all.map((item) => `${line(item, plain)}\n`).join('')));
    },
    async writeOut(bytes) {
      out.push(Uint8Array.from(bytes));
      return true;
    },
    note(line) {
      // On a terminal a line break inside a note is shown as the text of one.
      if (line.includes('\n')) throw new Error(`a note is one line: ${line}`);
      notes.push(line);
    },
    withProgress: (_title, run) => run((step) => progress.push(step)),
    async confirm(question) {
      if (this.yes) return true;
      const answer = answers.shift();
      if (answer === undefined) throw new UnansweredError(question);
      return answer;
    },
    exitWith(exitCode) {
      code = exitCode;
    },
    homePath: '/fake-home',
    homeFrom: { source: 'default' },
    flags: {},
    secret: undefined,
    secretToKeep: undefined,
    ports: () => Promise.reject(new Error('this fake app has no ports')),
    adminPorts: () => Promise.reject(new Error('this fake app has no ports')),
    ask: ({ message }) => Promise.reject(new Error(`nobody answers: ${message}`)),
    askSecret: (message) => Promise.reject(new Error(`nobody answers: ${message}`)),
    search: (message) => Promise.reject(new Error(`nobody answers: ${message}`)),
    choose: (message) => Promise.reject(new Error(`nobody answers: ${message}`)),
    chooseMany: (message) => Promise.reject(new Error(`nobody answers: ${message}`)),
    diskFormats: async () => diskFormats,
    fileSystems: async () => fileSystems,
    hostKinds: () => Promise.reject(new Error('this fake app has no host kinds')),
  };
  const stdoutBytes = () => new Uint8Array(Buffer.concat(out));
  return {
    ...app,
    ...overrides,
    rendered,
    progress,
    stdoutBytes,
    stdout: () => Buffer.concat(out).toString('utf8'),
    stderr: () => notes.map((line) => `${line}\n`).join(''),
    exitCode: () => code,
  };
}

class UnansweredError extends MabsError {
  readonly code = 'MABS-NEEDS-YES';
  readonly hint = 'Add --yes.';
  override readonly kind = 'usage';
  constructor(question: string) {
    super(`not answered: ${question}`);
  }
}
