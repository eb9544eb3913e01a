import { describe, expect, it } from '@jest/globals';
import { MabsError } from '../../../src/lib/errors.ts';
import { fromFailure, toFailure } from '../../../src/pool/engine/worker-messages.ts';
import { BlockDamagedError } from '../../../src/pool/pool-errors.ts';

const overTheWire = (error: unknown) => fromFailure(structuredClone(toFailure(error)));

describe('an error of a worker', () => {
  it('arrives with its code, kind, hint, facts and cause', () => {
    const error = new BlockDamagedError('packs/ab', 4096, 'its digest is wrong', { cause: new TypeError('deeper') });
    const arrived = overTheWire(error);
    expect(arrived).toBeInstanceOf(MabsError);
    expect(arrived).toMatchObject({ code: 'MABS-BLOCK-DAMAGED', kind: 'damaged', hint: error.hint, file: 'packs/ab', offset: 4096 });
    expect(arrived.message).toBe(error.message);
    expect(arrived.stack).toBe(error.stack);
    expect(arrived.cause).toMatchObject({ name: 'TypeError', message: 'deeper' });
  });

  it('that is none of mabs stays a bare error, and so does what was no error at all', () => {
    const arrived = overTheWire(new RangeError('a bug'));
    expect(arrived).not.toBeInstanceOf(MabsError);
    expect(arrived).toMatchObject({ name: 'RangeError', message: 'a bug' });
    expect(overTheWire('just words').message).toBe('just words');
  });
});
