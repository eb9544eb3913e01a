import { clusterPosition } from '../cluster-runs.ts';
import type { ClusterTable } from '../cluster-table.ts';
import { FileSystemDamagedError } from '../file-system.ts';
import type { Volume } from '../volume.ts';
import type { FatLayout } from './boot-sector.ts';
import { DirectoryReader, type FatNode, type FoundEntry } from './directory-entry.ts';

/** A directory has at most 65,536 entries (FAT specification 1.03, "FAT Directory Structure"). */
const MOST_DIRECTORY_BYTES = 65_536 * 32;
const PIECE_BYTES = 64 * 1024;

/** A FAT volume whose parts were found. */
export interface FatVolume {
  readonly volume: Volume;
  readonly layout: FatLayout;
  readonly table: ClusterTable;
}

/** The root directory, which has no entry of its own. */
export const rootOf = ({ root }: FatLayout): FatNode => ({
  id: 'root',
  type: 'dir',
  size: 0,
  links: 1,
  firstCluster: 'cluster' in root ? root.cluster : 0,
});

/**
 * The names in a directory; `reader` can tell afterwards what else is in it. Throws a FileSystemDamagedError where its chain breaks off or
 * it has too many.
 */
export async function* listEntries(fat: FatVolume, directory: FatNode, reader = new DirectoryReader()): AsyncGenerator<FoundEntry> {
  for await (const { position, length } of pieces(fat, directory)) {
    const piece = new Uint8Array(length);
    await fat.volume.read(position, piece);
    yield* reader.entries(piece, position);
    if (reader.ended) return;
  }
}

/** Where a directory lies, in pieces of at most 64 KiB. */
async function* pieces({ layout: { root, heap }, table }: FatVolume, { id, firstCluster }: FatNode) {
  if (id === 'root' && 'position' in root) return yield* cut(root.position, root.sizeBytes);
  let left = MOST_DIRECTORY_BYTES;
  for await (const { first, count } of table.chain(firstCluster, heap.clusterCount)) {
    const length = count * heap.clusterSize;
    yield* cut(clusterPosition(heap, first), Math.min(length, left));
    left -= length;
    if (left < 0) throw new FileSystemDamagedError('vfat', 'a directory has more than 65,536 entries');
  }
}

function* cut(position: number, length: number) {
  for (let at = 0; at < length; at += PIECE_BYTES) yield { position: position + at, length: Math.min(PIECE_BYTES, length - at) };
}
