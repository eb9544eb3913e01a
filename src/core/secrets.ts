import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { commandWords } from '../lib/command-words.ts';
import { MabsError, throwIfAborted } from '../lib/errors.ts';
import type { SecretReference } from './ports.ts';

/** Longest passphrase, in bytes of UTF-8. */
const MAX_BYTES = 4096;
/** A command that asks a person for something takes this long at most. */
const COMMAND_MS = 120_000;

export class SecretSourceError extends MabsError {
  readonly code = 'MABS-PASSPHRASE-SOURCE';
  readonly hint = 'Check the file or the command: the passphrase is the first line of what it holds or prints.';
  /** What was wrong, without a byte of what was read. */
  constructor(source: string, problem: string, options?: ErrorOptions) {
    super(`no passphrase from ${source}: ${problem}`, options);
  }
}

/** Reads a passphrase: the first line of a file, or of what a command prints. It is never logged, stored or part of an error. */
export async function readSecret(reference: SecretReference, signal?: AbortSignal): Promise<string> {
  throwIfAborted(signal);
  const source = 'file' in reference ? reference.file : `the command ${commandWords(reference.command)[0]}`;
  const text = 'file' in reference ? await readStart(reference.file) : await runCommand(reference.command, signal);
  const [line] = text.split(/\r?\n/, 1);
  if (!line) throw new SecretSourceError(source, 'the first line is empty');
  if (Buffer.byteLength(line) > MAX_BYTES) throw new SecretSourceError(source, `it is longer than ${MAX_BYTES} bytes`);
  return line;
}

/** The same reference with an absolute path, as the home keeps it. */
export function absoluteReference(reference: SecretReference): SecretReference {
  return 'file' in reference ? { file: resolve(reference.file) } : reference;
}

async function readStart(path: string): Promise<string> {
  try {
    await using handle = await open(path, 'r');
    const buffer = Buffer.alloc(MAX_BYTES + 3);
    let length = 0;
    // A pipe gives its bytes in pieces.
    for (let bytesRead = -1; bytesRead !== 0 && length < buffer.length; length += bytesRead) {
      ({ bytesRead } = await handle.read(buffer, length, buffer.length - length));
    }
    return buffer.toString('utf8', 0, length);
  } catch (error) {
    throw new SecretSourceError(path, error instanceof Error ? error.message : String(error), { cause: error });
  }
}

async function runCommand(command: string, signal?: AbortSignal): Promise<string> {
  const [file, ...args] = commandWords(command);
  const { execa } = await import('execa');
  const result = await execa(file!, args, {
    reject: false,
    stdin: 'inherit',
    stderr: 'inherit',
    timeout: COMMAND_MS,
    maxBuffer: 64 * 1024,
    // Its hooks on signals could end this process before it has cleaned up; the signal that is handed over ends the command.
    cleanup: false,
    ...(signal && { cancelSignal: signal }),
  });
  throwIfAborted(signal);
  // The output of a failed command may hold a part of the secret: only its exit is told.
  if (result.failed) throw new SecretSourceError(`the command ${file}`, endOf(result));
  return result.stdout;
}

interface Ended {
  readonly timedOut: boolean;
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly code?: string | undefined;
}

function endOf({ timedOut, exitCode, signal, code }: Ended): string {
  if (timedOut) return `it did not end within ${COMMAND_MS / 1000} s`;
  if (exitCode !== undefined) return `it ended with exit code ${exitCode}`;
  return signal ? `it was ended by ${signal}` : `it could not be started (${code ?? 'unknown reason'})`;
}
