import { machineVolumes } from '../../src/core/inside/machine-volumes.ts';
import type { DiskFormat } from '../../src/disks/disk-format.ts';
import type { DiskSource } from '../../src/disks/disk-source.ts';
import { rawFormat } from '../../src/disks/raw/raw-format.ts';
import { diskFormats } from '../../src/disks/registry.ts';
import { memorySource } from '../../src/lib/byte-source.ts';
import { MabsError } from '../../src/lib/errors.ts';
import type { FuzzTarget } from './disk-fuzzer.ts';
import { aGroupText, aLogicalText, aPhysicalVolume, fixLvm, striped } from './lvm-disk.ts';

const TEXT = aGroupText({
  physical: ['first', 'second'],
  logical: [
    aLogicalText('linear', [
      [4, striped([['pv0', 0]])],
      [2, striped([['pv1', 3]])],
    ]),
    // biome-ignore format: one segment a line
    aLogicalText('striped', [[6, striped([['pv0', 5], ['pv1', 7]])]]),
    aLogicalText('kept', [[1, 'type = "raid1"\ndevice_count = 2\nraids = ["a", "b"]']]),
  ],
});

/** A raw disk that is a physical volume of a group over two; the other one is intact. Its logical volumes are looked at and read. */
const looking: DiskFormat = {
  ...rawFormat,
  async describe(path, options) {
    await using disk = await rawFormat.open(path, options);
    for (const volume of await machineVolumes(diskFormats, [{ source: disk }, { index: 1, source: other }])) {
      if (!volume.address.includes('/lv/')) continue;
      if (!Number.isSafeInteger(volume.sizeBytes) || volume.sizeBytes < 0) throw new Error(`a size of ${volume.sizeBytes}`);
      const length = Math.min(volume.sizeBytes, 40_000);
      for (const offset of [0, volume.sizeBytes - length]) await lookAt(() => volume.read(offset, new Uint8Array(length)));
    }
    return await rawFormat.describe(path, options);
  },
};

const other: DiskSource = {
  ...memorySource(aPhysicalVolume({ id: 'second', text: TEXT.replace('seqno = 1', 'seqno = 0') })),
  logicalSectorSize: 512,
  physicalSectorSize: 512,
  files: [],
  extents: async () => [],
};

/** One volume that cannot be read says nothing of the next. */
async function lookAt(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof MabsError && error.kind === 'prerequisite')) throw error;
  }
}

/** LVM2: the label, the headers of its areas, and the text of the description. */
export const lvmFuzzTarget: FuzzTarget = {
  name: 'lvm',
  format: looking,
  async seeds() {
    const hotspots = [
      { offset: 512, length: 160 },
      { offset: 4096, length: 80 },
      { offset: 4096 + 512, length: TEXT.length + 1 },
    ];
    return [{ fileName: 'lvm.raw', bytes: aPhysicalVolume({ id: 'first', text: TEXT }), hotspots, fix: fixLvm }];
  },
};
