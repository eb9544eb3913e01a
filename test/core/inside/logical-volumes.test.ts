import { expect, it } from '@jest/globals';
import { machineVolumes } from '../../../src/core/inside/machine-volumes.ts';
import type { DiskSource } from '../../../src/disks/disk-source.ts';
import { diskFormats } from '../../../src/disks/registry.ts';
import { memorySource } from '../../../src/lib/byte-source.ts';
import { aGroupText, aLogicalText, aPhysicalVolume, EXTENTS_AT, type GroupOptions, striped } from '../../builders/lvm-disk.ts';
import { anMbr } from '../../builders/partition-tables.ts';

const logical = [aLogicalText('root', [[2, striped([['pv0', 1]])]])];

const asDisk = (bytes: Uint8Array): DiskSource => ({
  ...memorySource(bytes, 'the disk'),
  logicalSectorSize: 512,
  physicalSectorSize: 512,
  files: [],
  extents: async () => [],
});

/** A disk that is a physical volume as a whole, without a partition table. */
const aDisk = (group: Partial<GroupOptions> = {}) =>
  asDisk(aPhysicalVolume({ id: 'one', text: aGroupText({ physical: ['one'], logical, ...group }) }));

const addressesOn = async (...disks: DiskSource[]) =>
  (
    await machineVolumes(
      diskFormats,
      disks.map((source, index) => ({ index, source })),
    )
  ).map(({ address }) => address);

it('logical volumes are found on a disk without a partition table', async () => {
  expect(await addressesOn(aDisk())).toEqual(['/disk0/p1', '/lv/vg/root']);
});

it('logical volumes lie on the disk, behind their partition', async () => {
  const disk = new Uint8Array(512 * 1024);
  disk.set(anMbr([{ type: 0x8e, start: 100, sectors: 512 }]));
  disk.set(aPhysicalVolume({ id: 'one', text: aGroupText({ physical: ['one'], logical }) }), 100 * 512);
  disk.set([1, 2, 3], 100 * 512 + EXTENTS_AT + 8192);
  const [, volume] = await machineVolumes(diskFormats, [{ source: asDisk(disk) }]);
  const start = new Uint8Array(4);
  await volume!.read(0, start);
  expect([...start]).toEqual([1, 2, 3, 0]);
  expect(volume!.place({ offset: 5, length: 7 })).toEqual([{ disk: 0, position: 100 * 512 + EXTENTS_AT + 8192 + 5, offset: 5, length: 7 }]);
});

it('groups that share a name are told apart by their ids', async () => {
  const id = (start: string) => start.padEnd(32, '0');
  expect(await addressesOn(aDisk({ id: 'A' }), aDisk({ id: 'B' }), aDisk({ id: 'A' }), aDisk({ id: 'C', name: 'other' }))).toEqual([
    ...[0, 1, 2, 3].map((index) => `/disk${index}/p1`),
    '/lv/other/root',
    `/lv/vg@${id('A')}/root`,
    `/lv/vg@${id('A')}.2/root`,
    `/lv/vg@${id('B')}/root`,
  ]);
});
