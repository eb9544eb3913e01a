import { describe, expect, it } from '@jest/globals';
import { partitionProblems } from '../../../src/disks/partitions/partition-problems.ts';
import { memorySource } from '../../../src/lib/byte-source.ts';
import { anMbr, putGpt } from '../../builders/partition-tables.ts';

const TYPE = 'EBD0A0A2-B9E5-4433-87C0-68B6B72699C7';
const aDisk = (entries: readonly number[], size = 1_048_576, sectorSize = 512) => {
  const disk = new Uint8Array(size);
  putGpt(
    disk,
    entries.map((slot) => ({ slot, type: TYPE, firstLba: 100 + slot, lastLba: 100 + slot })),
    sectorSize,
  );
  return disk;
};
const problems = (disk: Uint8Array, logicalSectorSize = 512) => partitionProblems({ ...memorySource(disk), logicalSectorSize });

describe('the problems of a partition table', () => {
  it.each([512, 4096])(
    'are none where both copies of a GPT in sectors of %i agree, also when the disk does not tell its sectors',
    async (sector) => {
      expect(await problems(aDisk([0, 3], 1_048_576, sector), sector)).toEqual([]);
      expect(await problems(aDisk([0, 3], 1_048_576, sector), sector === 512 ? 4096 : 512)).toEqual([]);
    },
  );

  it('are none of an MBR, and of a disk without a table', async () => {
    const disk = new Uint8Array(65_536);
    expect(await problems(disk)).toEqual([]);
    disk.set(anMbr([{ type: 7, start: 1, sectors: 9 }]));
    expect(await problems(disk)).toEqual([]);
    expect(await problems(new Uint8Array(100))).toEqual([]);
  });

  it('name the copy that is damaged', async () => {
    const primary = aDisk([0]);
    primary[512 + 16]! ^= 1;
    expect(await problems(primary)).toEqual(['the primary GPT is damaged: the backup at the end of the disk is used']);
    const entries = aDisk([0]);
    entries[1024]! ^= 1;
    expect(await problems(entries)).toHaveLength(1);
    const backup = aDisk([0]);
    backup[backup.length - 512]! ^= 1;
    expect(await problems(backup)).toEqual(['the backup GPT at the end of the disk is missing or damaged']);
    primary[primary.length - 512]! ^= 1;
    expect(await problems(primary)).toEqual(['the disk says that it has a GPT, and neither of its copies is intact']);
  });

  it('tell copies that differ, and a disk that was made larger', async () => {
    const differing = aDisk([0]);
    const other = aDisk([0, 1]);
    differing.set(other.subarray(other.length - 33 * 512), other.length - 33 * 512);
    expect(await problems(differing)).toEqual(['the two copies of the GPT name other partitions']);
    const grown = new Uint8Array(2_097_152);
    grown.set(aDisk([0]));
    expect(await problems(grown)).toEqual(['the backup GPT does not lie at the end of the disk: the disk was made larger']);
  });
});
