import { MabsError } from './errors.ts';

/** A value that a person typed (a size, a duration, a time, …) cannot be understood. */
export class UnreadableValueError extends MabsError {
  readonly code = 'MABS-VALUE-UNREADABLE';
  readonly hint: string;
  override readonly kind = 'usage';
  /** `what`: the kind of value, as in "a size"; `examples`: what would have been understood. */
  constructor(what: string, text: string, examples: string) {
    super(`${JSON.stringify(text)} is not ${what}`);
    this.hint = `Write it like ${examples}.`;
  }
}
