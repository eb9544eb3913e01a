import { describe, expect, it } from '@jest/globals';
import { fatDriver } from '../../../src/filesystems/fat/fat-driver.ts';
import { fixtureTruth, fixtureVolume } from '../../builders/fixture-volume.ts';
import { keepsTheFileSystemContract } from '../../contracts/file-system.ts';

const SECOND = 1_000_000_000n;

describe.each(['fat12', 'fat16', 'fat32'])('a %s volume of mtools', (name) => {
  const open = async () => fatDriver.open(await fixtureVolume(name));
  // Names end in the order that mtools found; it shows neither dates of folders nor, of files, more than two seconds.
  keepsTheFileSystemContract({ open, truth: () => fixtureTruth(name), timeUnit: 2n * SECOND });

  it('tells its label and serial number', async () => {
    expect((await open()).info).toMatchObject({ type: 'vfat', label: 'MABS FAT', uuid: '1234-ABCD', journal: 'none', notes: [] });
  });

  it('tells attributes', async () => {
    const system = await open();
    expect((await system.find(await system.root(), 'README.TXT'))?.attributes).toEqual(['readonly', 'hidden', 'system', 'archive']);
  });

  it('keeps a file in pieces', async () => {
    const system = await open();
    const file = (await system.find(await system.root(), 'in many pieces.txt'))!;
    expect((await system.allocation(file)).length).toBeGreaterThan(3);
  });
});
