import { expect, it } from '@jest/globals';
import { RecoveryRows } from '../../../src/core/restore-files/recovery-rows.ts';

const row = (path: string, more = {}) => ({ source: path, path, type: 'file', status: 'ok', bytesWritten: 1, ...more }) as const;
const error = { code: 'MABS-FS-DAMAGED', message: 'm', hint: 'h' };

it('lists what needs a look first, and counts what it does not list', () => {
  const rows = new RecoveryRows();
  for (let index = 0; index < 10_500; index++) rows.add(row(`${index}`));
  rows.add(row('x', { status: 'failed', error }), new Error('x'));
  rows.add(row('y', { originalName: 'y:' }));
  expect(rows.files.slice(0, 2).map(({ path }) => path)).toEqual(['x', 'y']);
  expect(rows.counts).toEqual({
    files: 10_501,
    folders: 0,
    links: 0,
    skipped: 0,
    failed: 1,
    renamed: 1,
    bytesWritten: 10_502,
    notListed: 500,
  });
  expect(rows.onlyFailure).toBeUndefined();
});

it('says what was thrown where that was all', () => {
  const rows = new RecoveryRows();
  const thrown = new Error('x');
  rows.add(row('x', { status: 'failed', error }), thrown);
  expect(rows.onlyFailure).toBe(thrown);
  rows.add(row('y'));
  expect(rows.onlyFailure).toBeUndefined();
});
