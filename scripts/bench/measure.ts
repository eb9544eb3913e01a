import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** What one whole process, its children included, took. */
export interface Measured {
  readonly wallSeconds: number;
  /** User and system time; undefined where the machine has no GNU time. */
  readonly cpuSeconds: number | undefined;
  readonly peakMiB: number | undefined;
  readonly stdout: string;
}

const GNU_TIME = ['/usr/bin/time', '/bin/time'].find((path) => existsSync(path));

/** Runs a command to its end; throws with its stderr when it fails. */
export async function measure(command: readonly string[], environment: Record<string, string> = {}): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'measure-'));
  try {
    const report = join(folder, 'time');
    const words = GNU_TIME ? [GNU_TIME, '-o', report, '-f', '%U %S %M', ...command] : [...command];
    const started = performance.now();
    const stdout = await run(words, environment);
    const wallSeconds = (performance.now() - started) / 1000;
    if (!GNU_TIME) return { wallSeconds, cpuSeconds: undefined, peakMiB: undefined, stdout };
    const [user, system, kibibytes] = (await readFile(report, 'utf8')).trim().split('\n').at(-1)!.split(' ').map(Number);
    return { wallSeconds, cpuSeconds: user! + system!, peakMiB: kibibytes! / 1024, stdout };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs a command, answers its stdout; throws with its stderr when it fails. */
export function run([program, ...args]: readonly string[], environment: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(stdout);
      else reject(new Error(`${program} ${args.join(' ')} ended with ${code}: ${stderr.slice(-2000)}`));
    });
  });
}

/** Whether a program is on the PATH. */
export function isInstalled(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}

/** Empties the machine's file cache where that is allowed, so that each tool begins alike. Answers whether it did. */
export async function dropCaches(): Promise<boolean> {
  try {
    await run(['sync']);
    await writeFile('/proc/sys/vm/drop_caches', '3');
    return true;
  } catch {
    return false;
  }
}
