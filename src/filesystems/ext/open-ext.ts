import { cachedVolume } from '../cached-volume.ts';
import { type FileSystem, type FileSystemInfo, FileSystemUnsupportedError } from '../file-system.ts';
import { labelText, readInside } from '../probe.ts';
import { unlessDamaged } from '../unless-damaged.ts';
import type { Volume } from '../volume.ts';
import { COMPAT, INCOMPAT, RO_COMPAT, unknownIncompat, unknownRoCompat } from './ext-features.ts';
import { ExtFileSystem } from './ext-file-system.ts';
import type { ExtVolume } from './ext-volume.ts';
import { type FoundSuperblock, findSuperblock } from './find-superblock.ts';
import { readGroup } from './group-descriptor.ts';
import { type JournalState, openJournal } from './journal/open-journal.ts';
import { parseSuperblock, SUPERBLOCK_SIZE, type Superblock } from './superblock.ts';

/** Opens a volume with ext2, ext3 or ext4; what its journal has pending is laid over it. */
export async function openExt(volume: Volume): Promise<FileSystem> {
  const found = await findSuperblock(volume);
  refuseUnknown(found.superblock);
  const cached = cachedVolume(volume);
  const journal = await openJournal(extVolume(cached, found.superblock), found.problem !== undefined);
  const replayed = journal.volume === undefined ? undefined : cachedVolume(journal.volume);
  const superblock = (replayed && (await superblockAfter(replayed))) ?? found.superblock;
  refuseUnknown(superblock);
  const ext = extVolume(replayed ?? cached, superblock);
  return new ExtFileSystem(ext, await describe(ext, found, journal));
}

const extVolume = (volume: Volume, superblock: Superblock): ExtVolume => ({ volume, superblock, groups: new Map() });

function refuseUnknown({ raw, type }: Superblock): void {
  const unknown = unknownIncompat(raw.incompat);
  if (unknown.length > 0)
    throw new FileSystemUnsupportedError(`the volume is ${type} with features that this version does not read: ${unknown.join(', ')}`);
}

/** The superblock may be among what was replayed; when that is damaged, the one found first goes on. */
async function superblockAfter(volume: Volume): Promise<Superblock | undefined> {
  const block = await unlessDamaged(() => readInside(volume, 1024, SUPERBLOCK_SIZE));
  const found = block && parseSuperblock(block);
  return typeof found === 'object' ? found : undefined;
}

async function describe(ext: ExtVolume, { problem }: FoundSuperblock, journal: JournalState): Promise<FileSystemInfo> {
  const { superblock, volume } = ext;
  const { raw, blockSize, blocks, clusterBlocks, type } = superblock;
  const label = labelText(raw.label);
  const doubts = doubtsOf(superblock, volume.sizeBytes, problem);
  return {
    type,
    ...(label !== undefined && { label }),
    ...(raw.uuid.some((byte) => byte !== 0) && { uuid: uuidText(raw.uuid) }),
    sizeBytes: Math.min(blocks * blockSize, volume.sizeBytes),
    clusterSize: blockSize * clusterBlocks,
    ...(await freeBytesOf(ext)),
    journal: doubts.length > 0 ? 'dirty' : journal.state,
    notes: [...doubts, ...journal.notes, ...remarksOf(superblock)],
  };
}

/** Why what the volume says of itself may not be the last word. */
function doubtsOf(
  { raw, blocks, blockSize, isMarkedClean, hasErrors }: Superblock,
  sizeBytes: number,
  problem: string | undefined,
): string[] {
  const doubts: string[] = [];
  if (problem !== undefined) doubts.push(`A copy of the superblock is used, since ${problem}.`);
  if (hasErrors) doubts.push('The system found errors on it and marked it for a check.');
  if (!isMarkedClean && !(raw.compat & COMPAT.hasJournal)) doubts.push('It was not unmounted, and has no journal.');
  if (blocks * blockSize > sizeBytes) doubts.push(`It spans ${blocks * blockSize} bytes, but the volume has only ${sizeBytes}.`);
  const unknown = unknownRoCompat(raw.roCompat);
  if (unknown.length > 0) doubts.push(`It has features that this version does not know: ${unknown.join(', ')}.`);
  return doubts;
}

function remarksOf({ raw }: Superblock): string[] {
  const hasOrphans = raw.lastOrphan !== 0 || (raw.roCompat & RO_COMPAT.orphanPresent) !== 0;
  return [
    ...(hasOrphans ? ['Files that were deleted or cut while open still take up space; the next mount frees it.'] : []),
    ...(raw.incompat & INCOMPAT.encrypt ? ['It may hold files encrypted by fscrypt: they are listed, but cannot be read.'] : []),
  ];
}

/** Groups whose own counts are added up: the sum in the superblock is only right after an unmount. */
const MOST_COUNTED_GROUPS = 16_384;

async function freeBytesOf(ext: ExtVolume): Promise<{ freeBytes?: number }> {
  const { raw, groups, blockSize, blocks, clusterBlocks } = ext.superblock;
  let free = raw.freeBlocksHigh * 2 ** 32 + raw.freeBlocksLow;
  if (groups <= MOST_COUNTED_GROUPS) {
    free = 0;
    for (let group = 0; group < groups; group += 1) {
      const descriptor = await unlessDamaged(() => readGroup(ext, group));
      if (!descriptor) return {};
      free += descriptor.freeClusters * clusterBlocks;
    }
  }
  return free <= blocks ? { freeBytes: free * blockSize } : {};
}

function uuidText(uuid: Uint8Array): string {
  return Buffer.from(uuid)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
