import { fatDriver } from '../../src/filesystems/fat/fat-driver.ts';
import { aFatVolume, type BuiltFat, type FatItem } from './fat-volume.ts';
import type { FileSystemFuzzTarget, FileSystemSeed } from './file-system-fuzzer.ts';

const content = Uint8Array.from({ length: 1500 }, (_, index) => index);
const inner: FatItem[] = Array.from({ length: 24 }, (_, index) => ({
  short: `FILE${index}`,
  long: `a long name in a folder, number ${index}`,
}));
const items: FatItem[] = [
  { short: 'LABEL', attributes: 0x08 },
  { short: 'SIDE~1', long: 'side by side.bin', content },
  { short: 'APART', content, scattered: true, caseBits: 0x18 },
  { short: 'FOLDER', items: [{ short: '.', attributes: 0x10 }, { short: '..', attributes: 0x10 }, ...inner], scattered: true },
];

/** FAT12, FAT16 and FAT32 with long names, folders, and chains in pieces. */
export const fatFuzzTarget: FileSystemFuzzTarget = {
  name: 'fat',
  driver: fatDriver,
  async seeds() {
    return ([12, 16, 28] as const).map((bits) => seedOf(`fat${bits}`, aFatVolume({ bits, items, ...(bits !== 16 && { clusters: 60 }) })));
  },
};

function seedOf(name: string, { bytes, table, root, positionOf, clustersOf }: BuiltFat): FileSystemSeed {
  const folders = clustersOf.get('FOLDER')!.map((cluster) => ({ offset: positionOf(cluster), length: 512 }));
  const hotspots = [{ offset: 0, length: 96 }, { offset: table, length: 160 }, { offset: root, length: 320 }, ...folders];
  return { name, bytes, hotspots };
}
