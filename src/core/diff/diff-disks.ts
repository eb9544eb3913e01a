import { type ByteRange, normalizeRanges, totalLength } from '../../lib/byte-range.ts';
import type { ManifestDisk } from '../../model/manifest.ts';
import { diskName } from '../../model/names.ts';
import type { Pool } from '../../pool/pool.ts';
import type { KnownPoint } from '../known-points.ts';

/** A disk of two points, of one, or of the other. */
export interface DiskPair {
  readonly key: string;
  readonly before?: ManifestDisk;
  readonly after?: ManifestDisk;
}

/** How a disk differs between two points. Bytes; blocks are those of the pool. */
export interface DiskDifference {
  /** As the later point calls it, or the earlier one where only that has it. */
  readonly disk: string;
  readonly change: 'none' | 'changed' | 'added' | 'removed' | 'unknown';
  readonly sizeBefore?: number;
  readonly sizeAfter?: number;
  readonly blockSize: number;
  /** Blocks that differ in something that neither point leaves out, and their bytes that neither leaves out. Absent where unknown. */
  readonly blocksChanged?: number;
  readonly bytesChanged?: number;
  /** `[offset, length]` of those bytes, ascending and apart. */
  readonly ranges?: readonly (readonly [number, number])[];
  /** Bytes that one of the points, or both, left out: not compared. */
  readonly bytesLeftOut: number;
}

/** The disks of two points, by their identity within the VM; of two VMs those without a partner of that name by their order. */
export function pairDisks(before: KnownPoint, after: KnownPoint): DiskPair[] {
  const old = [...before.manifest.disks];
  const pairs: DiskPair[] = [];
  const take = (found: number) => (found < 0 ? undefined : old.splice(found, 1)[0]);
  const alone: ManifestDisk[] = [];
  for (const disk of after.manifest.disks) {
    const partner = take(old.findIndex(({ key }) => key === disk.key));
    if (partner) pairs.push({ key: disk.key, before: partner, after: disk });
    else alone.push(disk);
  }
  const sameVm = before.manifest.datasource === after.manifest.datasource;
  for (const disk of alone) {
    const partner = sameVm ? undefined : old.shift();
    pairs.push({ key: disk.key, ...(partner && { before: partner }), after: disk });
  }
  pairs.push(...old.map((disk) => ({ key: disk.key, before: disk })));
  return pairs.sort((a, b) => (a.after ?? a.before!).index - (b.after ?? b.before!).index);
}

/** Compares a pair by disk maps alone; `pool`: absent where the points lie in two pools, whose maps cannot be compared. */
export async function diffDisks(
  pool: Pool | undefined,
  { before, after }: DiskPair,
  signal: AbortSignal | undefined,
): Promise<DiskDifference> {
  const disk = (after ?? before)!;
  const leftOut = normalizeRanges([before, after].flatMap((one) => one?.leftOut.map(([offset, length]) => ({ offset, length })) ?? []));
  const base = {
    disk: diskName(disk.index),
    ...(before && { sizeBefore: before.virtualSize }),
    ...(after && { sizeAfter: after.virtualSize }),
    blockSize: disk.blockSize,
    bytesLeftOut: totalLength(leftOut),
  };
  if (!before || !after) return { ...base, change: after ? 'added' : 'removed' };
  if (!pool || before.blockSize !== after.blockSize) return { ...base, change: 'unknown' };
  const differing = await pool.compareDisks(before, after, signal ? { signal } : {});
  const changed = withoutRanges(differing, leftOut);
  const resized = before.virtualSize !== after.virtualSize;
  return {
    ...base,
    change: changed.length > 0 || resized ? 'changed' : 'none',
    blocksChanged: blocksIn(changed, disk.blockSize),
    bytesChanged: totalLength(changed),
    ranges: changed.map(({ offset, length }) => [offset, length] as const),
  };
}

/** The bytes of normalized ranges that are in none of other normalized ranges. */
function withoutRanges(ranges: readonly ByteRange[], others: readonly ByteRange[]): ByteRange[] {
  const left: ByteRange[] = [];
  let next = 0;
  for (const { offset, length } of ranges) {
    const end = offset + length;
    let from = offset;
    while (next < others.length && others[next]!.offset + others[next]!.length <= from) next += 1;
    for (let at = next; at < others.length && others[at]!.offset < end; at += 1) {
      if (others[at]!.offset > from) left.push({ offset: from, length: others[at]!.offset - from });
      from = Math.max(from, others[at]!.offset + others[at]!.length);
    }
    if (from < end) left.push({ offset: from, length: end - from });
  }
  return left;
}

/** How many blocks normalized ranges touch. */
function blocksIn(ranges: readonly ByteRange[], blockSize: number): number {
  let count = 0;
  let after = 0;
  for (const { offset, length } of ranges) {
    const first = Math.max(after, Math.floor(offset / blockSize));
    const end = Math.ceil((offset + length) / blockSize);
    count += Math.max(0, end - first);
    after = Math.max(after, end);
  }
  return count;
}
