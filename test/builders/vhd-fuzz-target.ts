import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { vhdChecksum } from '../../src/disks/vhd/vhd-checksum.ts';
import { vhdFormat } from '../../src/disks/vhd/vhd-format.ts';
import type { FuzzSeed, FuzzTarget } from './disk-fuzzer.ts';

const MIB = 1024 * 1024;
const SIZE = 2 * MIB + 65_536;
const FOOTER = 512;

/** VHD of every kind: dynamic, fixed, and differencing with blocks that are partly its own. */
export const vhdFuzzTarget: FuzzTarget = {
  name: 'vhd',
  format: vhdFormat,
  async seeds(folder) {
    const parent = join(folder, 'parent.vhd');
    await make(parent, { subformat: 'dynamic', blockSize: 512 * 1024 });
    const fixed = join(folder, 'fixed-seed.vhd');
    await make(fixed, { subformat: 'fixed' });
    const child = join(folder, 'child-seed.vhd');
    await make(child, { subformat: 'differencing', blockSize: 512 * 1024, parent });
    return [
      seedOf('dynamic.vhd', await readFile(parent)),
      seedOf('fixed.vhd', await readFile(fixed)),
      // The texts of the locators lie behind the table; the bitmap of the first block ends a page.
      seedOf('child.vhd', await readFile(child), [
        { offset: 2048, length: 1024 },
        { offset: 3584, length: 512 },
      ]),
    ];
  },
};

async function make(path: string, options: { subformat: 'dynamic' | 'fixed' | 'differencing'; blockSize?: number; parent?: string }) {
  await using disk = await vhdFormat.create(path, { ...options, sizeBytes: SIZE });
  await disk.write(MIB - 5000, new Uint8Array(10_000).fill(0x77));
  await disk.write(2 * MIB, new Uint8Array(65_536).fill(0x78));
}

function seedOf(fileName: string, image: Buffer, more: FuzzSeed['hotspots'] = []): FuzzSeed {
  const end = { offset: image.length - FOOTER, length: FOOTER };
  const isFixed = image.toString('latin1', 0, 8) !== 'conectix';
  const structures = [
    { offset: 0, length: FOOTER },
    { offset: FOOTER, length: 1024 },
    { offset: 1536, length: 512 },
  ];
  return {
    fileName,
    bytes: new Uint8Array(image),
    hotspots: isFixed ? [end] : [end, ...structures, ...more],
    fix(spoiled) {
      seal(spoiled.subarray(end.offset), 64);
      if (isFixed) return;
      seal(spoiled.subarray(0, FOOTER), 64);
      seal(spoiled.subarray(FOOTER, FOOTER + 1024), 36);
    },
  };
}

function seal(structure: Uint8Array, checksumAt: number): void {
  new DataView(structure.buffer, structure.byteOffset).setUint32(checksumAt, vhdChecksum(structure, checksumAt));
}
