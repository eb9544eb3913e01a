import { MabsError } from './errors.ts';

/** Locks by name among the processes of one home. The kernel releases them when their process dies; there are no clocks. */
export interface Locks {
  /**
   * Takes a lock. Held by another process: waits up to `waitMs`, then MABS-LOCKED (kind locked) that names what is locked.
   * Within one process a second `acquire` of a held name is refused the same way.
   */
  acquire(name: string, options: { readonly what: string; readonly waitMs: number }): Promise<Lock>;
  /** Whether a living process (this one included) holds the lock now. */
  isHeld(name: string): Promise<boolean>;
  /** Removes what a lock leaves behind when nobody holds it. Only for a name that is never used again. */
  forget?(name: string): Promise<void>;
}

export interface Lock extends AsyncDisposable {
  readonly name: string;
}

export class LockedError extends MabsError {
  readonly code = 'MABS-LOCKED';
  readonly hint = 'Another mabs process is at work on it: wait until it has ended, or let this command wait with --wait 10m.';
  override readonly kind = 'locked';
  constructor(what: string) {
    super(`${what} is locked by another mabs process`);
  }
}
