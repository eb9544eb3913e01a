import { struct, u8, u16le, u32le } from '../lib/struct.ts';
import { hasText, labelText, readChain, readInside, withLabel } from './probe.ts';
import type { FileSystemSignature, Volume } from './volume.ts';

const BOOT = struct(512, {
  sectorSize: u16le(11),
  sectorsPerCluster: u8(13),
  reserved: u16le(14),
  fats: u8(16),
  rootEntries: u16le(17),
  media: u8(21),
  sectorsPerFat16: u16le(22),
  sectorsPerFat32: u32le(36),
  rootCluster: u32le(44),
});

const VOLUME_LABEL = 0x08;
const LONG_NAME = 0x0f;

/** FAT12, FAT16 and FAT32 alike: `vfat`. */
export async function detectFat(volume: Volume): Promise<FileSystemSignature | undefined> {
  const boot = await readInside(volume, 0, 512);
  if (!boot || !isFatBoot(boot)) return undefined;
  return withLabel('vfat', await fatLabel(volume, boot));
}

function isFatBoot(boot: Uint8Array): boolean {
  const { sectorSize, sectorsPerCluster, reserved, fats, media } = BOOT.read(boot);
  const plausible =
    isPowerOfTwo(sectorSize) && sectorSize >= 512 && sectorSize <= 4096 && isPowerOfTwo(sectorsPerCluster) && reserved > 0 && fats > 0;
  if (!plausible || !(media >= 0xf8 || media === 0xf0)) return false;
  const named = hasText(boot, 54, 'FAT') || hasText(boot, 82, 'FAT32   ') || hasText(boot, 54, 'MSDOS') || hasText(boot, 82, 'MSWIN');
  const jumps = boot[0] === 0xeb || boot[0] === 0xe9;
  return named || (jumps && boot[510] === 0x55 && boot[511] === 0xaa);
}

/** The label is an entry of the root directory, which FAT32 keeps in clusters; the copy in the boot sector is not kept up to date. */
async function fatLabel(volume: Volume, boot: Uint8Array): Promise<string | undefined> {
  const { sectorSize, sectorsPerCluster, reserved, fats, rootEntries, sectorsPerFat16, sectorsPerFat32, rootCluster } = BOOT.read(boot);
  const afterFats = (reserved + fats * (sectorsPerFat16 || sectorsPerFat32)) * sectorSize;
  const clusterSize = sectorSize * sectorsPerCluster;
  const root = rootEntries
    ? await readInside(volume, afterFats, Math.min(rootEntries * 32, 65_536))
    : await readChain(volume, {
        first: rootCluster,
        clusterSize,
        positionOf: (cluster) => afterFats + (cluster - 2) * clusterSize,
        next: (cluster) => reserved * sectorSize + cluster * 4,
      });
  if (!root) return undefined;
  for (let at = 0; at + 32 <= root.length && root[at] !== 0; at += 32) {
    const attributes = root[at + 11]!;
    if (root[at] === 0xe5 || (attributes & LONG_NAME) === LONG_NAME || !(attributes & VOLUME_LABEL)) continue;
    if (root[at + 26] !== 0 || root[at + 27] !== 0) continue; // a label has no content
    return labelText(root.subarray(at, at + 11));
  }
  return undefined;
}

const isPowerOfTwo = (value: number) => value > 0 && (value & (value - 1)) === 0;
