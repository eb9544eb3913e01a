import type { ByteRange } from '../../lib/byte-range.ts';
import type { NonResidentAttribute } from './attributes.ts';
import { type ClusterSource, readRuns } from './cluster-source.ts';
import { decompressLznt1 } from './compression/lznt1.ts';
import { damaged } from './ntfs-damage.ts';
import type { Run, RunList } from './run-list.ts';

/** Windows has units of 16 clusters and compresses where clusters have at most 4 KiB: 64 KiB. */
const MOST_UNIT_BYTES = 1024 * 1024;

/**
 * A stream compressed with LZNT1 (libfsntfs, 15 Compression): units of 16 clusters, each for itself. A unit that is allocated whole holds its bytes
 * as they are, one without clusters is zeros, and one that ends in a hole holds compressed bytes in the clusters before it.
 */
export function compressedContent(
  source: ClusterSource,
  runs: RunList,
  { unitClusters, sizeBytes, initializedBytes }: NonResidentAttribute,
): { read(offset: number, into: Uint8Array): Promise<void>; data(range: ByteRange): ByteRange[] } {
  const unitBytes = unitClusters * source.clusterSize;
  if (unitBytes > MOST_UNIT_BYTES) throw damaged(`a compression unit of ${unitBytes} bytes`);
  const runsOfUnit = (unit: number): Run[] => [...runs.within(unit * unitClusters, (unit + 1) * unitClusters)];

  const readUnit = async (unit: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(unitBytes);
    const parts = runsOfUnit(unit);
    const allocated = parts.filter(({ lcn }) => lcn !== undefined).reduce((sum, { clusters }) => sum + clusters, 0);
    const known = parts.reduce((sum, { clusters }) => sum + clusters, 0);
    const needed = Math.min(unitBytes, sizeBytes - unit * unitBytes);
    if (known * source.clusterSize < needed) throw damaged('a compressed stream ends before its size');
    const stored = new Uint8Array(allocated * source.clusterSize);
    if (allocated > 0) await readAllocated(source, runs, parts, stored);
    if (allocated === known) bytes.set(stored);
    else if (allocated > 0) decompressLznt1(stored, bytes);
    bytes.fill(0, Math.min(unitBytes, Math.max(0, initializedBytes - unit * unitBytes)));
    return bytes;
  };

  let last: { readonly unit: number; readonly bytes: Promise<Uint8Array> } | undefined;
  const unitOf = (unit: number): Promise<Uint8Array> => {
    if (last?.unit !== unit) {
      last = { unit, bytes: readUnit(unit) };
      last.bytes.catch(() => {
        last = undefined;
      });
    }
    return last.bytes;
  };

  return {
    async read(offset, into) {
      for (let done = 0; done < into.length; ) {
        const unit = Math.floor((offset + done) / unitBytes);
        const from = offset + done - unit * unitBytes;
        const piece = (await unitOf(unit)).subarray(from, from + into.length - done);
        into.set(piece, done);
        done += piece.length;
      }
    },
    data({ offset, length }) {
      const end = Math.min(offset + length, initializedBytes);
      const ranges: ByteRange[] = [];
      if (end <= offset) return ranges;
      const first = Math.floor(offset / unitBytes) * unitClusters;
      for (const { vcn, clusters, lcn } of runs.within(first, Math.ceil(end / unitBytes) * unitClusters)) {
        if (lcn === undefined) continue;
        const from = Math.max(offset, Math.floor(vcn / unitClusters) * unitBytes);
        const to = Math.min(end, Math.ceil((vcn + clusters) / unitClusters) * unitBytes);
        if (to > from) ranges.push({ offset: from, length: to - from });
      }
      return ranges;
    },
  };
}

async function readAllocated(source: ClusterSource, runs: RunList, parts: readonly Run[], into: Uint8Array): Promise<void> {
  let at = 0;
  for (const { vcn, clusters, lcn } of parts) {
    if (lcn === undefined) continue;
    const length = clusters * source.clusterSize;
    await readRuns(source, runs, vcn * source.clusterSize, into.subarray(at, at + length));
    at += length;
  }
}
