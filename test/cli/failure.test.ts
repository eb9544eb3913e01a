import { describe, expect, it } from '@jest/globals';
import { describeFailure } from '../../src/cli/failure.ts';
import { InterruptedError, MabsError } from '../../src/lib/errors.ts';
import { LockedError } from '../../src/lib/locks.ts';

const system = (code: string) => Object.assign(new Error(`${code}: said the system`), { code, errno: -1 });
const sqlite = (errcode: number) => Object.assign(new Error('said SQLite'), { code: 'ERR_SQLITE_ERROR', errcode });

class Damaged extends MabsError {
  readonly code = 'MABS-TEST';
  readonly hint = 'h';
  override readonly kind = 'damaged';
}

describe('what is told of a failure', () => {
  it.each([
    ['a typed error', new LockedError('x'), 'MABS-LOCKED', 7],
    ['damage', new Damaged('m'), 'MABS-TEST', 4],
    ['a full volume', system('ENOSPC'), 'MABS-NO-SPACE', 6],
    ['a refusal of the system', system('EACCES'), 'MABS-SYSTEM', 1],
    ['a full volume under the catalog', sqlite(13), 'MABS-NO-SPACE', 6],
    ['a failing device under the catalog', sqlite(10 | (3 << 8)), 'MABS-SYSTEM', 1],
    ['a query that is wrong', sqlite(1), 'MABS-INTERNAL', 1],
    ['a bug', new TypeError('x is undefined'), 'MABS-INTERNAL', 1],
    ['a bug that is no error', 'oops', 'MABS-INTERNAL', 1],
    ['an interruption', new InterruptedError(), 'MABS-INTERRUPTED', 130],
  ])('is right for %s', (_, error, code, exitCode) => expect(describeFailure(error, false)).toMatchObject({ code, exitCode }));

  it('is the first failure, not what failed while cleaning up after it', () => {
    const both = new SuppressedError(new Error('cleaning'), new LockedError('x'));
    expect(describeFailure(both, false)).toMatchObject({ code: 'MABS-LOCKED' });
  });

  it('is the interruption once somebody asked to stop', () => {
    expect(describeFailure(new Error('aborted halfway'), true)).toMatchObject({ code: 'MABS-INTERRUPTED', exitCode: 130 });
  });
});
