import type { Volume } from '../volume.ts';
import { damaged } from './ntfs-damage.ts';
import type { RunList } from './run-list.ts';

/** A volume as clusters. */
export interface ClusterSource {
  readonly volume: Volume;
  readonly clusterSize: number;
}

/** Fills `into` with the bytes of a stream from `offset` on: one read a run, holes as zeros. What ends before is damage. */
export async function readRuns({ volume, clusterSize }: ClusterSource, runs: RunList, offset: number, into: Uint8Array): Promise<void> {
  const end = offset + into.length;
  let at = offset;
  for (const { vcn, clusters, lcn } of runs.within(Math.floor(offset / clusterSize), Math.ceil(end / clusterSize))) {
    const to = Math.min(end, (vcn + clusters) * clusterSize);
    const piece = into.subarray(at - offset, to - offset);
    if (lcn === undefined) piece.fill(0);
    else await volume.read(lcn * clusterSize + at - vcn * clusterSize, piece);
    at = to;
  }
  if (at < end) throw damaged(`a stream ends at ${at}, before its size`);
}
