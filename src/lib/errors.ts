/** What kind of failure an error is. The command line turns it into an exit code; nothing else does. */
export type ErrorKind =
  | 'failed' // 1: and whatever has no kind of its own
  | 'usage' // 2
  | 'partly' // 3
  | 'damaged' // 4: stored data or an image is damaged or hostile
  | 'prerequisite' // 5
  | 'space' // 6
  | 'locked' // 7
  | 'agreement' // 8
  | 'newer' // 9: written by a newer version of mabs
  | 'interrupted'; // 130

/** A failure that a user can understand and act on. A bare `Error` is a bug in mabs. */
export abstract class MabsError extends Error {
  /** Never changes once released; explained in docs/errors.md. */
  abstract readonly code: `MABS-${string}`;
  /** What to do about it, one line. */
  abstract readonly hint: string;
  readonly kind: ErrorKind = 'failed';
}

/** The run was cancelled (Ctrl-C or an AbortSignal). */
export class InterruptedError extends MabsError {
  readonly code = 'MABS-INTERRUPTED';
  readonly hint = 'Run the command again: what was already stored is not sent twice.';
  override readonly kind = 'interrupted';
  constructor(options?: ErrorOptions) {
    super('interrupted', options);
  }
}

/** Throws an InterruptedError when the signal is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new InterruptedError();
}

/** The `code` of a Node.js system error (`ENOENT`, `ENOSPC`, …), if it is one. */
export function systemErrorCode(error: unknown): string | undefined {
  // Not `instanceof Error`: an error may come from another realm (a worker, a test runner's context).
  const isSystemError = typeof error === 'object' && error !== null && 'code' in error && 'errno' in error;
  return isSystemError && typeof error.code === 'string' ? error.code : undefined;
}
