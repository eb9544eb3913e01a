import { readInside } from '../probe.ts';
import type { Volume } from '../volume.ts';
import { copiesOf, parseSuperblock, type Superblock } from './superblock.ts';
import { damaged } from './xfs-damage.ts';

/** The largest sector that XFS knows. */
const MAX_SECTOR = 32_768;
/** Copies that are looked for by what the damaged one says, and numbers of groups that mkfs.xfs makes. */
const COPIES = 8;
const GROUP_COUNTS = [4, 2, 8, 16, 32, 1, 3, 5, 6, 7, 9, 10, 12, 20, 24, 40, 48, 64, 100, 128];

/** The superblock, and whether it is a copy, because the one at the volume's start is damaged. */
export async function findSuperblock(volume: Volume): Promise<{ readonly superblock: Superblock; readonly isCopy: boolean }> {
  const first = await sectorAt(volume, 0);
  if (!first || first.length < 512) throw damaged('the volume is too small for a superblock');
  const superblock = parseSuperblock(first);
  if (superblock) return { superblock, isCopy: false };
  for (const position of copyPositions(first, volume.sizeBytes)) {
    const sector = await sectorAt(volume, position);
    const copy = sector && parseSuperblock(sector, true);
    // A copy lies at the start of a group, or it is left over from another file system.
    if (copy && position % (copy.agBlocks * copy.blockSize) === 0) return { superblock: copy, isCopy: true };
  }
  throw damaged('its superblock is damaged, and no copy of it was found');
}

async function sectorAt(volume: Volume, position: number): Promise<Uint8Array | undefined> {
  return await readInside(volume, position, Math.min(MAX_SECTOR, volume.sizeBytes - position));
}

/** Where copies may lie: groups of the size that the damaged superblock says, then of sizes that are usual for such a volume. */
function copyPositions(first: Uint8Array, sizeBytes: number): Set<number> {
  const { agBytes, agCount } = copiesOf(first);
  const told = Array.from({ length: Math.min(COPIES, Math.max(0, agCount - 1)) }, (_, index) => (index + 1) * agBytes);
  const guessed = GROUP_COUNTS.filter((count) => count > 1).flatMap((count) => {
    const blocks = Math.floor(sizeBytes / 4096);
    return [Math.floor(blocks / count) * 4096, Math.ceil(blocks / count) * 4096];
  });
  return new Set([...told, ...guessed].filter((position) => position > 0 && Number.isSafeInteger(position) && position < sizeBytes));
}
