import { describe, expect, it } from '@jest/globals';
import { fuzzFileSystem } from '../../builders/file-system-fuzzer.ts';
import { ntfsFuzzTarget } from '../../builders/ntfs-fuzz-target.ts';

describe('spoiled NTFS volumes', () => {
  it('are read or refused by a typed error, in little time', async () => {
    const { problems, outcomes } = await fuzzFileSystem(ntfsFuzzTarget, { seed: 7, rounds: 800 });
    expect(problems).toEqual([]);
    expect(Object.keys(outcomes).sort()).toEqual(expect.arrayContaining(['MABS-FILE-UNREADABLE', 'MABS-FS-DAMAGED']));
  });
});
