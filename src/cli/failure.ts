import { firstCause } from '../core/job.ts';
import { MabsError, systemErrorCode } from '../lib/errors.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { DocumentBegunError } from './print-list.ts';

/** What is told of an error, whatever was thrown. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly exitCode: number;
}

/** Errors of the operating system that say something about the user's machine rather than about mabs. */
const SYSTEM_HINTS: Readonly<Record<string, string>> = {
  EACCES: 'Give your account access to it, or run mabs as an account that has it.',
  EPERM: 'Give your account access to it, or run mabs as an account that has it.',
  EROFS: 'The file system is mounted read-only: make it writable.',
  ENOENT: 'Check that the path is right and that the volume is there.',
  ENOTDIR: 'Check the path: a part of it is a file.',
  EISDIR: 'Name a file, not a folder.',
  EEXIST: 'Name another path, or remove what is there.',
  EMFILE: 'Too many files are open: raise the limit (ulimit -n).',
  ENFILE: 'Too many files are open on this machine.',
  EIO: 'The device reports an error: look at the system log and replace what fails.',
  EBUSY: 'Another program uses it: close it and try again.',
};

/** Turns whatever was thrown into what is told. `interrupted`: the user asked to stop, so that is what happened. */
export function describeFailure(thrown: unknown, interrupted: boolean): Failure {
  const error = firstCause(thrown instanceof DocumentBegunError ? thrown.cause : thrown);
  if (error instanceof MabsError && (!interrupted || error.kind === 'interrupted')) {
    return { code: error.code, message: error.message, hint: error.hint, exitCode: EXIT_CODES[error.kind] };
  }
  if (interrupted) {
    const hint = 'Run the command again: what was already stored is not sent twice.';
    return { code: 'MABS-INTERRUPTED', message: 'interrupted', hint, exitCode: EXIT_CODES.interrupted };
  }
  return systemFailure(error) ?? databaseFailure(error) ?? internalFailure(error);
}

/** What SQLite's primary result codes say about the machine: the volume or the rights, and not mabs. */
const DATABASE_HINTS: Readonly<Record<number, string>> = {
  3: SYSTEM_HINTS.EACCES!,
  5: 'Other mabs processes keep the home busy: run the command again when they have ended.',
  8: SYSTEM_HINTS.EROFS!,
  10: SYSTEM_HINTS.EIO!,
  14: SYSTEM_HINTS.EACCES!,
};
const DATABASE_FULL = 13;

/** Errors of the databases in the home: the catalog and the locks. */
function databaseFailure(error: unknown): Failure | undefined {
  const { code, errcode = 0, message } = (error ?? {}) as { code?: unknown; errcode?: number; message?: string };
  if (code !== 'ERR_SQLITE_ERROR') return undefined;
  const what = `the home's database: ${message}`;
  const primary = errcode & 0xff;
  if (primary === DATABASE_FULL) return noSpace(what);
  const hint = DATABASE_HINTS[primary];
  return hint === undefined ? undefined : { code: 'MABS-SYSTEM', message: what, hint, exitCode: EXIT_CODES.failed };
}

function noSpace(message: string): Failure {
  return { code: 'MABS-NO-SPACE', message, hint: 'Make room on that volume and run the command again.', exitCode: EXIT_CODES.space };
}

function systemFailure(error: unknown): Failure | undefined {
  const system = systemErrorCode(error);
  if (!system) return undefined;
  const message = (error as Error).message;
  if (system === 'ENOSPC' || system === 'EDQUOT') return noSpace(message);
  const hint = SYSTEM_HINTS[system];
  return hint === undefined ? undefined : { code: 'MABS-SYSTEM', message, hint, exitCode: EXIT_CODES.failed };
}

function internalFailure(error: unknown): Failure {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    code: 'MABS-INTERNAL',
    message: `a bug in mabs: ${message}`,
    hint: 'Run it again with --debug and report what it prints.',
    exitCode: EXIT_CODES.failed,
  };
}
