import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/mabs.js', import.meta.url));

export interface MabsRun {
  /** `null` when a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface MabsRunOptions {
  /** Sent as soon as the first progress is told, or anything else on stderr. */
  readonly signal?: NodeJS.Signals;
}

/** The program as a user runs it, from its sources: runs to its end, whatever the exit code is. */
export function runMabs(home: string, words: readonly string[], { signal }: MabsRunOptions = {}): Promise<MabsRun> {
  const env = { ...process.env, MABS_HOME: home, MABS_SOURCE: '1' };
  const child = spawn(process.execPath, [BIN, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    if (stderr === '' && signal) child.kill(signal);
    stderr += data;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
}
