import { renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Failure } from './failure.ts';

/** A log of this size is set aside as mabs.log.1 when the next command begins. */
const ROTATE_AT_BYTES = 10 * 2 ** 20;

/** What a command writes into the home's log: JSON lines, never a word of the command line, which may name secrets' places. */
export interface CommandLog {
  note(line: string): void;
  finished(exitCode: number): void;
  failed(failure: Failure, error: unknown): void;
}

/** Opens `log/mabs.log` in the home and logs the start of a command. A log that cannot be written stops nothing. */
export function openCommandLog(
  homePath: string,
  level: string,
  { command, version }: { readonly command: string; readonly version: string },
): CommandLog {
  const path = join(homePath, 'log', 'mabs.log');
  rotate(path);
  const destination = pino.destination({ dest: path, append: true, sync: true, mkdir: true, mode: 0o600 });
  destination.on('error', () => {});
  const log = pino({ level, base: { pid: process.pid, command }, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  const startedAt = performance.now();
  const durationMs = () => Math.round(performance.now() - startedAt);
  log.info({ version }, 'started');
  return {
    note: (line) => log.info(line),
    finished: (exitCode) => log[exitCode === 0 ? 'info' : 'warn']({ exitCode, durationMs: durationMs() }, 'finished'),
    failed: ({ code, message, exitCode }, error) =>
      log.error({ code, exitCode, durationMs: durationMs(), stack: error instanceof Error ? error.stack : undefined }, message),
  };
}

function rotate(path: string): void {
  try {
    if (statSync(path).size >= ROTATE_AT_BYTES) renameSync(path, `${path}.1`);
  } catch {
    // None yet, or another process is at it.
  }
}
