import { describe, expect, it } from '@jest/globals';
import { exfatDriver } from '../../../src/filesystems/exfat/exfat-driver.ts';
import { fixtureTruth, fixtureVolume } from '../../builders/fixture-volume.ts';
import { keepsTheFileSystemContract } from '../../contracts/file-system.ts';

describe('a volume of exfat-fuse', () => {
  const open = async () => exfatDriver.open(await fixtureVolume('exfat'));
  keepsTheFileSystemContract({ open, truth: () => fixtureTruth('exfat'), timeUnit: 2_000_000_000n });

  it('tells its label and free space', async () => {
    expect((await open()).info).toMatchObject({ type: 'exfat', label: 'Größe', clusterSize: 2048, journal: 'none', notes: [] });
  });

  it('keeps files in pieces', async () => {
    const system = await open();
    for (const name of ['in many pieces.txt', 'by turns, one', 'by turns, two']) {
      const file = (await system.find(await system.root(), name))!;
      expect((await system.allocation(file)).length).toBeGreaterThan(2);
    }
  });
});
