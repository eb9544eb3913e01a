import { ClusterRuns, clusterPosition, isCluster } from '../cluster-runs.ts';
import type { ClusterTable } from '../cluster-table.ts';
import { FileSystemDamagedError } from '../file-system.ts';
import type { Volume } from '../volume.ts';
import type { ExfatLayout } from './boot-region.ts';
import { DirectoryReader } from './directory-reader.ts';
import type { EntrySet, ExfatNode } from './entry-set.ts';

/** Of a directory (exFAT specification 1.00, 7.4: at most 256 MB). */
const MOST_DIRECTORY_BYTES = 256 * 1024 * 1024;
const PIECE_BYTES = 64 * 1024;

/** An exFAT volume whose parts were found. */
export interface ExfatVolume {
  readonly volume: Volume;
  readonly layout: ExfatLayout;
  readonly table: ClusterTable;
}

/** Where something lies that is kept in clusters. */
export type Stored = Pick<ExfatNode, 'firstCluster' | 'contiguous' | 'allocatedBytes'>;

/** The root directory, which has no entry of its own: its chain tells how long it is. */
export const rootOf = ({ rootCluster }: ExfatLayout): ExfatNode => ({
  id: 'root',
  type: 'dir',
  size: 0,
  links: 1,
  firstCluster: rootCluster,
  contiguous: false,
  allocatedBytes: Number.POSITIVE_INFINITY,
  validBytes: Number.POSITIVE_INFINITY,
});

/** The clusters of a file. Throws a FileSystemDamagedError where there are not as many as its size asks for. */
export async function readClusters(exfat: ExfatVolume, stored: Stored): Promise<ClusterRuns> {
  const runs = new ClusterRuns();
  const needed = Math.ceil(stored.allocatedBytes / exfat.layout.heap.clusterSize);
  if (needed > exfat.layout.heap.clusterCount) throw damaged('a file is larger than its volume');
  for await (const { first, count } of chainOf(exfat, stored)) runs.append(first, count);
  if (runs.total < needed) throw damaged(`a file has ${runs.total} clusters instead of ${needed}`);
  return runs;
}

/** The sets of entries in a directory; `reader` can tell afterwards what else is in it. `mostBytes`: how much of it is looked at. */
export async function* listSets(
  exfat: ExfatVolume,
  directory: Stored,
  { reader = new DirectoryReader(), mostBytes = MOST_DIRECTORY_BYTES } = {},
): AsyncGenerator<EntrySet> {
  const { heap } = exfat.layout;
  const wanted = Math.min(directory.allocatedBytes, mostBytes);
  let left = wanted;
  for await (const { first, count } of chainOf(exfat, directory)) {
    const end = clusterPosition(heap, first) + Math.min(count * heap.clusterSize, left);
    for (let at = clusterPosition(heap, first); at < end; at += PIECE_BYTES) {
      const piece = new Uint8Array(Math.min(PIECE_BYTES, end - at));
      await exfat.volume.read(at, piece);
      yield* reader.sets(piece, at);
      if (reader.ended) return;
    }
    left -= count * heap.clusterSize;
    if (left <= 0) break;
  }
  yield* reader.finish();
  if (left > 0 && wanted === directory.allocatedBytes) throw damaged('the clusters of a directory break off');
}

/** The runs of clusters that something needs, as far as its chain has them. */
async function* chainOf({ layout: { heap }, table }: ExfatVolume, { firstCluster, contiguous, allocatedBytes }: Stored) {
  const needed = Math.ceil(allocatedBytes / heap.clusterSize);
  if (needed === 0) return;
  if (!contiguous) return yield* table.chain(firstCluster, Math.min(needed, heap.clusterCount));
  if (!isCluster(heap, firstCluster) || !isCluster(heap, firstCluster + needed - 1))
    throw damaged('a file lies past the end of its volume');
  yield { first: firstCluster, count: needed };
}

const damaged = (what: string) => new FileSystemDamagedError('exfat', what);
