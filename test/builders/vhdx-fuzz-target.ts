import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { vhdxFormat } from '../../src/disks/vhdx/vhdx-format.ts';
import type { FuzzSeed, FuzzTarget } from './disk-fuzzer.ts';
import { fixChecksums, fixLogChecksums, PLACE, putLog } from './vhdx-bytes.ts';

const MIB = 1024 * 1024;
const SIZE = 2 * MIB + 65_536;
/** The child's first write lies in one block only in part, so its first room at the file's end is a sector bitmap. */
const BITMAP = [{ offset: PLACE.payload, length: 4096 }];

/** VHDX of every kind: dynamic, fixed, differencing with partially present blocks, and one whose log is in use. */
export const vhdxFuzzTarget: FuzzTarget = {
  name: 'vhdx',
  format: vhdxFormat,
  async seeds(folder) {
    const parent = join(folder, 'parent.vhdx');
    await make(parent, { subformat: 'dynamic' });
    const dynamic = new Uint8Array(await readFile(parent));
    const fixed = join(folder, 'fixed.vhdx');
    await make(fixed, { subformat: 'fixed' });
    const child = join(folder, 'child.vhdx');
    await make(child, { subformat: 'differencing', parent });
    const dirty = dynamic.slice();
    const sector = dynamic.slice(PLACE.bat, PLACE.bat + 4096);
    const writes = [
      { at: PLACE.bat, content: sector },
      { at: PLACE.payload, content: 8192 },
    ];
    putLog(dirty, [
      { sequence: 5n, writes },
      { sequence: 6n, writes, tail: 0 },
    ]);
    return [
      seedOf('dynamic.vhdx', dynamic),
      seedOf('fixed.vhdx', new Uint8Array(await readFile(fixed))),
      seedOf('child.vhdx', new Uint8Array(await readFile(child)), BITMAP),
      seedOf('dirty.vhdx', dirty, [{ offset: PLACE.log.offset, length: 20_480 }]),
    ];
  },
};

async function make(path: string, options: { subformat: 'dynamic' | 'fixed' | 'differencing'; parent?: string }): Promise<void> {
  await using disk = await vhdxFormat.create(path, { ...options, sizeBytes: SIZE, blockSize: MIB });
  await disk.write(MIB - 5000, new Uint8Array(10_000).fill(0x77));
  await disk.write(2 * MIB, new Uint8Array(65_536).fill(0x78));
}

function seedOf(fileName: string, bytes: Uint8Array, more: FuzzSeed['hotspots'] = []): FuzzSeed {
  const hotspots = [
    { offset: 0, length: 16 },
    ...PLACE.headers.map((offset) => ({ offset, length: 4096 })),
    ...PLACE.regionTables.map((offset) => ({ offset, length: 512 })),
    { offset: PLACE.metadata, length: 512 },
    { offset: PLACE.metadata + 65_536, length: 1024 },
    { offset: PLACE.bat, length: 512 },
    ...more,
  ];
  return {
    ...{ fileName, bytes, hotspots },
    fix(image) {
      fixLogChecksums(image);
      fixChecksums(image);
    },
  };
}
