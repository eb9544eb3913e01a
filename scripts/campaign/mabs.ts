import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/mabs.js', import.meta.url));

/** How a run of the program ended. */
export interface Ended {
  /** `null` when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The program, run as a user runs it, always over one home. */
export interface Mabs {
  readonly home: string;
  /** Its stdout; rejects unless it ends with 0. */
  run(...words: string[]): Promise<string>;
  /** The same, its JSON. */
  json<T>(...words: string[]): Promise<T>;
  /** Starts it; `ended` resolves however it ends. `before`: a program that runs it, with arguments. */
  start(words: readonly string[], before?: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> };
}

/** `always`: global options that each command gets. */
export function mabsOver(home: string, always: readonly string[] = []): Mabs {
  const mabs: Mabs = {
    home,
    start(words, before = []) {
      const line = [...before, process.execPath, BIN, '--home', home, '--progress', 'none', ...always, ...words];
      const child = spawn(line[0]!, line.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
      let stdout = '';
      let stderr = '';
      child.stdout.on('data', (chunk) => {
        stdout += chunk;
      });
      child.stderr.on('data', (chunk) => {
        stderr += chunk;
      });
      const ended = new Promise<Ended>((resolve, reject) => {
        child.on('error', reject);
        child.on('close', (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr }));
      });
      return { child, ended };
    },
    async run(...words) {
      const { exitCode, signal, stdout, stderr } = await mabs.start(words).ended;
      if (exitCode !== 0) throw new Error(`mabs ${words.join(' ')} ended with ${exitCode ?? signal}: ${stderr}${stdout}`);
      return stdout;
    },
    async json<T>(...words: string[]) {
      return JSON.parse(await mabs.run(...words, '--json')) as T;
    },
  };
  return mabs;
}
