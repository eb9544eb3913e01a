import { describe, expect, it } from '@jest/globals';
import { readGeometry } from '../../../src/filesystems/ntfs/boot-sector.ts';
import { memorySource } from '../../../src/lib/byte-source.ts';

/** A boot sector at the start of a volume, with some of its fields changed. */
function aVolume({ sectorSize = 512, sectorsPerCluster = 8, sectors = 8192n, mftCluster = 4n, recordClusters = 0xf6 } = {}) {
  const volume = Buffer.alloc(2 ** 22);
  volume.write('NTFS    ', 3, 'latin1');
  volume.writeUInt16LE(sectorSize, 11);
  volume[13] = sectorsPerCluster;
  volume.writeBigUInt64LE(sectors, 40);
  volume.writeBigUInt64LE(mftCluster, 48);
  volume.writeBigUInt64LE(2n, 56);
  volume[64] = recordClusters;
  volume.writeBigUInt64LE(0x1234n, 72);
  return volume;
}

const geometryOf = async (volume: Uint8Array) => (await readGeometry(memorySource(volume))).geometry;

describe('the boot sector of NTFS', () => {
  it.each([
    { what: 'usual sizes', fields: {}, expected: { clusterSize: 4096, recordSize: 1024, clusters: 1024 } },
    { what: 'clusters of one sector', fields: { sectorsPerCluster: 1 }, expected: { clusterSize: 512, clusters: 8192 } },
    { what: 'clusters of 64 KiB', fields: { sectorsPerCluster: 0x80, mftCluster: 2n }, expected: { clusterSize: 65_536 } },
    {
      what: 'clusters of 2 MiB, as a power of two',
      fields: { sectorsPerCluster: 0xf4, mftCluster: 1n },
      expected: { clusterSize: 2 ** 21 },
    },
    {
      what: 'sectors of 4 KiB',
      fields: { sectorSize: 4096, sectorsPerCluster: 1, sectors: 1023n, recordClusters: 1 },
      expected: { recordSize: 4096 },
    },
    { what: 'records of two clusters', fields: { recordClusters: 2 }, expected: { recordSize: 8192 } },
  ])('tells $what', async ({ fields, expected }) => {
    expect(await geometryOf(aVolume(fields))).toMatchObject(expected);
  });

  it.each([
    { what: 'sectors of 1000 bytes', fields: { sectorSize: 1000 } },
    { what: 'sectors of no bytes', fields: { sectorSize: 0 } },
    { what: 'clusters of three sectors', fields: { sectorsPerCluster: 3 } },
    { what: 'clusters of 4 MiB', fields: { sectorsPerCluster: 0xf3 } },
    { what: 'clusters of no sectors', fields: { sectorsPerCluster: 0 } },
    { what: 'records of no bytes', fields: { recordClusters: 0 } },
    { what: 'records of 2^128 bytes', fields: { recordClusters: 0x80 } },
    { what: 'a master file table at the boot sector', fields: { mftCluster: 0n } },
    { what: 'a master file table past the end', fields: { mftCluster: 1024n } },
    { what: 'a size above 2^53', fields: { sectors: 2n ** 50n } },
    { what: 'a size above 2^63', fields: { sectors: 2n ** 64n - 1n } },
  ])('is damaged by $what', async ({ fields }) => {
    await expect(geometryOf(aVolume(fields))).rejects.toMatchObject({ code: 'MABS-FS-DAMAGED' });
  });

  it.each([512, 4096])('has a copy in the last %d bytes', async (size) => {
    const volume = aVolume();
    volume.copyWithin(volume.length - size, 0, 512);
    volume.fill(0, 0, 512);
    const { geometry, notes } = await readGeometry(memorySource(volume));
    expect(geometry.serial).toBe(0x1234n);
    expect(notes).toEqual(['The boot sector is damaged; its copy at the end of the volume was used.']);
  });
});
