import type { ErrorKind } from '../lib/errors.ts';

/** The exit code of each kind of failure; part of the contract with scripts. */
export const EXIT_CODES: Readonly<Record<ErrorKind, number>> = {
  failed: 1,
  usage: 2,
  partly: 3,
  damaged: 4,
  prerequisite: 5,
  space: 6,
  locked: 7,
  agreement: 8,
  newer: 9,
  interrupted: 130,
};
