import { xfsDriver } from '../../src/filesystems/xfs/xfs-driver.ts';
import { crc32cWithout } from '../../src/lib/crc32c.ts';
import type { FileSystemFuzzTarget, FileSystemSeed } from './file-system-fuzzer.ts';
import { fixtureVolume } from './fixture-volume.ts';

const BLOCK = 4096;
const SECTOR = 512;
/** What structures begin with: where that stands, how long they are, and where their checksum is in version 5. */
const STRUCTURES: readonly { readonly magic: string; readonly at: number; readonly length: number; readonly checksumAt: number }[] = [
  { magic: 'XFSB', at: 0, length: SECTOR, checksumAt: 224 },
  { magic: 'XAGF', at: 0, length: SECTOR, checksumAt: 216 },
  { magic: 'IN', at: 0, length: SECTOR, checksumAt: 100 },
  { magic: 'XDB3', at: 0, length: BLOCK, checksumAt: 4 },
  { magic: 'XDD3', at: 0, length: BLOCK, checksumAt: 4 },
  { magic: 'BMA3', at: 0, length: BLOCK, checksumAt: 64 },
  { magic: 'AB3B', at: 0, length: BLOCK, checksumAt: 52 },
  { magic: 'XSLM', at: 0, length: BLOCK, checksumAt: 12 },
  { magic: 'XARM', at: 0, length: BLOCK, checksumAt: 12 },
  ...['\x3e\xbe', '\x3d\xf1', '\x3d\xff', '\x3b\xee'].map((magic) => ({ magic, at: 8, length: BLOCK, checksumAt: 12 })),
  ...['XD2B', 'XD2D', 'ABTB'].map((magic) => ({ magic, at: 0, length: BLOCK, checksumAt: 0 })),
  ...['\xfe\xbe', '\xd2\xf1', '\xd2\xff', '\xfb\xee'].map((magic) => ({ magic, at: 8, length: BLOCK, checksumAt: 0 })),
];
/** Of each kind this many are spoiled: so each is, often. */
const MOST_OF_A_KIND = 24;

interface Found {
  readonly offset: number;
  readonly length: number;
  readonly checksumAt: number;
}

/** XFS of version 5, whose checksums are made right again most of the time, and of version 4, which has none. */
export const xfsFuzzTarget: FileSystemFuzzTarget = {
  name: 'xfs',
  driver: xfsDriver,
  // Made once: they are large, and never changed.
  seeds: () => (seeds ??= Promise.all([seedOf('xfs-fuzz', true), seedOf('xfs-fuzz-v4', false)])),
};

let seeds: Promise<FileSystemSeed[]> | undefined;

async function seedOf(name: string, hasChecksums: boolean): Promise<FileSystemSeed> {
  const volume = await fixtureVolume(name);
  const bytes = new Uint8Array(volume.sizeBytes);
  await volume.read(0, bytes);
  const found = structuresIn(bytes);
  const fix = (spoiled: Uint8Array) => {
    const view = new DataView(spoiled.buffer, spoiled.byteOffset);
    for (const { offset, length, checksumAt } of found) {
      view.setUint32(offset + checksumAt, crc32cWithout(spoiled.subarray(offset, offset + length), checksumAt), true);
    }
  };
  return { name, bytes, hotspots: found, ...(hasChecksums && { fix, fixStaysInHotspots: true }) };
}

/** Outside the log, which lies in the middle and holds copies of everything. */
function structuresIn(bytes: Uint8Array): Found[] {
  const view = new DataView(bytes.buffer);
  const logStart = logPosition(view);
  const logEnd = logStart + view.getUint32(96) * BLOCK;
  const found = new Map<string, Found[]>();
  for (let offset = 0; offset < bytes.length; offset += SECTOR) {
    if (offset >= logStart && offset < logEnd) continue;
    const kind = STRUCTURES.find(({ magic, at, length }) => offset % length === 0 && textAt(bytes, offset + at, magic.length) === magic);
    if (!kind) continue;
    const list = found.get(kind.magic) ?? [];
    if (list.length < MOST_OF_A_KIND) found.set(kind.magic, [...list, { offset, length: kind.length, checksumAt: kind.checksumAt }]);
  }
  return [...found.values()].flat().sort((a, b) => a.offset - b.offset);
}

function logPosition(view: DataView): number {
  const start = Number(view.getBigUint64(48));
  const groupBits = view.getUint8(124);
  return (Math.floor(start / 2 ** groupBits) * view.getUint32(84) + (start % 2 ** groupBits)) * BLOCK;
}

const textAt = (bytes: Uint8Array, at: number, length: number) => String.fromCharCode(...bytes.subarray(at, at + length));
