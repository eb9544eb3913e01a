import { MabsError } from '../lib/errors.ts';

/** The command line cannot be understood. */
export class UsageError extends MabsError {
  readonly code = 'MABS-USAGE';
  readonly hint: string;
  override readonly kind = 'usage';
  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** A confirmation is needed and nobody can be asked. */
export class NeedsYesError extends MabsError {
  readonly code = 'MABS-NEEDS-YES';
  readonly hint = 'Add --yes to agree to it.';
  override readonly kind = 'usage';
  constructor(question: string) {
    super(`this needs your agreement, and there is no terminal to ask on: ${question}`);
  }
}
