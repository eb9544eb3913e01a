import { bootChecksum } from '../../src/filesystems/exfat/boot-region.ts';
import { setChecksum } from '../../src/filesystems/exfat/entry-set.ts';
import { exfatDriver } from '../../src/filesystems/exfat/exfat-driver.ts';
import { anExfatVolume, type BuiltExfat, type ExfatItem } from './exfat-volume.ts';
import type { FileSystemFuzzTarget, FileSystemSeed } from './file-system-fuzzer.ts';

const SECTOR = 512;
const ROOT_SECTORS = 8;
const content = Uint8Array.from({ length: 1500 }, (_, index) => index);
const inner: ExfatItem[] = Array.from({ length: 12 }, (_, index) => ({
  name: `a long name in a folder, number ${index}`,
  content: content.subarray(0, index),
}));
const items: ExfatItem[] = [
  { name: 'side by side.bin', content, validBytes: 700 },
  { name: 'apart', content, chained: true },
  { name: 'folder', items: inner, chained: true },
];

/** exFAT and TexFAT, with checksums made right again, so that what they protect is reached. */
export const exfatFuzzTarget: FileSystemFuzzTarget = {
  name: 'exfat',
  driver: exfatDriver,
  async seeds() {
    return ([1, 2] as const).map((tables) =>
      seedOf(tables === 1 ? 'exfat' : 'texfat', anExfatVolume({ items, tables, label: 'label', clusters: 80 })),
    );
  },
};

function seedOf(name: string, { bytes, view, positionOf, firstOf }: BuiltExfat): FileSystemSeed {
  const root = positionOf(view.getUint32(96, true));
  const folder = { offset: positionOf(firstOf.get('folder')!), length: 6 * SECTOR };
  const hotspots = [
    { offset: 0, length: 128 },
    { offset: 24 * SECTOR, length: 320 },
    { offset: positionOf(2), length: 3 * SECTOR },
    { offset: root, length: 480 },
    folder,
  ];
  const fix = (volume: Uint8Array): void => {
    new DataView(volume.buffer, volume.byteOffset).setUint32(11 * SECTOR, bootChecksum(volume.subarray(0, 11 * SECTOR)), true);
    for (const { offset, length } of [{ offset: root, length: ROOT_SECTORS * SECTOR }, folder])
      fixSets(volume.subarray(offset, offset + length));
  };
  return { name, bytes, hotspots, fix };
}

function fixSets(directory: Uint8Array): void {
  for (let at = 0; at + 32 <= directory.length; at += 32) {
    const end = at + 32 * (1 + directory[at + 1]!);
    if (directory[at] !== 0x85 || end > directory.length) continue;
    new DataView(directory.buffer, directory.byteOffset + at).setUint16(2, setChecksum(directory.subarray(at, end)), true);
  }
}
