import { MabsError } from '../lib/errors.ts';

export class NameInvalidError extends MabsError {
  readonly code = 'MABS-NAME-INVALID';
  readonly hint = 'Use letters, digits, ".", "_" and "-", 64 at most, beginning with a letter or a digit.';
  override readonly kind = 'usage';
  constructor(what: string, name: string) {
    super(`${JSON.stringify(name)} cannot be the name of a ${what}`);
  }
}

export class NameTakenError extends MabsError {
  readonly code = 'MABS-NAME-TAKEN';
  readonly hint = 'Choose another name, or remove the other one first.';
  constructor(what: string, name: string) {
    super(`there is a ${what} named ${name} already`);
  }
}

/** Names of hosts and pools are words of commands and parts of `HOST/NAME`: nothing in them may be split or quoted. */
export function checkEntityName(what: 'host' | 'pool', name: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) throw new NameInvalidError(what, name);
}
