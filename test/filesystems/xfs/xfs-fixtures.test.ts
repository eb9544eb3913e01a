import { describe } from '@jest/globals';
import { xfsDriver } from '../../../src/filesystems/xfs/xfs-driver.ts';
import { fixtureTruth, fixtureVolume } from '../../builders/fixture-volume.ts';
import { keepsTheFileSystemContract } from '../../contracts/file-system.ts';

describe.each([
  { what: 'XFS of version 5', name: 'xfs-v5' },
  { what: 'XFS with small blocks, large directory blocks and 64-bit extent counts', name: 'xfs-1k' },
  { what: 'XFS with blocks of 64 KiB', name: 'xfs-64k' },
  { what: 'XFS that finds names regardless of case', name: 'xfs-ci' },
  { what: 'XFS of version 4', name: 'xfs-v4' },
  { what: 'XFS of version 4 with blocks of 512 bytes, larger directory blocks, and types in directories', name: 'xfs-v4-512' },
])('$what', ({ name }) => {
  keepsTheFileSystemContract({ open: async () => xfsDriver.open(await fixtureVolume(name)), truth: () => fixtureTruth(name) });
});
