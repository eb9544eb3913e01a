import { type ByteRange, normalizeRanges, roundOut } from '../../lib/byte-range.ts';
import { systemRandom } from '../../lib/random.ts';
import type { DiskWriteRequest, DiskWriteResult } from '../pool.ts';
import { differingRanges } from './differing-ranges.ts';
import { DiskMapReader } from './disk-map-reader.ts';
import type { ThreadPorts, WritableBlocks } from './engine-ports.ts';
import type { EngineThreads } from './engine-threads.ts';
import { blockLength, type MapGeometry, mapGeometry } from './map-geometry.ts';
import { isZeroDigest } from './map-page.ts';
import type { PlannedRange } from './plan-windows.ts';
import { sampleBlocks } from './sample-blocks.ts';
import { surveyMap } from './survey-map.ts';
import { type WriteLimits, WriteRun, writeLimits } from './write-run.ts';

/**
 * Writes the state of a disk into the pool: reads what may have changed, stores the blocks that the pool does not have, and writes
 * the map. Every file that was opened is closed again, in every thread, before it resolves or rejects. Rejects with MABS-DISK-READ,
 * MABS-POOL-FULL, MABS-INTERRUPTED and whatever else source and pool reject with; of the base's map with MABS-BLOCK-DAMAGED,
 * MABS-BLOCK-MISSING or MABS-MAP-DAMAGED, unless the request says `mend`.
 */
export async function writeDisk(
  threads: EngineThreads,
  blocks: WritableBlocks,
  request: DiskWriteRequest,
  limits: WriteLimits = writeLimits,
): Promise<DiskWriteResult> {
  const ports = await blocks.openPorts();
  try {
    const geometry = mapGeometry(request.source.sizeBytes, blocks.blockSize);
    const lostPages = new Set<string>();
    const base = openBase(request, ports, blocks.blockSize, lostPages);
    const survey = base && (await surveyBase(base, request, geometry));
    const leftOut = normalizeRanges(request.leftOut);
    const oneSided = leftOutOnOneSide(request, geometry, leftOut);
    const ranges = rangesToRead(request, geometry, oneSided);
    const run = new WriteRun({
      ...{ threads, blocks, ports, request, geometry, base, leftOut, oneSided, lostPages, limits },
      ranges: base && request.ranges && request.sample ? await withSamples(ranges, request, geometry, base) : plain(ranges),
      rewrittenLeaves: survey?.lostLeaves ?? [],
      baseDataBytes: survey?.dataBytes ?? 0,
    });
    return await run.run();
  } finally {
    await ports[Symbol.asyncDispose]();
  }
}

function openBase({ base, mend }: DiskWriteRequest, ports: ThreadPorts, blockSize: number, lostPages: Set<string>) {
  if (!base) return undefined;
  const geometry = mapGeometry(base.virtualSize, blockSize);
  return new DiskMapReader(ports, Buffer.from(base.root, 'hex'), geometry, mend ? { lostPages } : {});
}

/** Walks the base's map where that cannot be helped: to mend it, or because nobody knows how much data it names. */
async function surveyBase(map: DiskMapReader, { base, mend }: DiskWriteRequest, geometry: MapGeometry) {
  const known = base!.dataBytes !== undefined && base!.virtualSize === geometry.virtualSize;
  if (known && !mend) return { dataBytes: base!.dataBytes, lostLeaves: [] };
  return await surveyMap(map, geometry.blocks);
}

/**
 * What has to be read, in whole blocks: what changed, all that is new after a change of size, and what is left out on one side
 * only (a cluster can change its owner without being written).
 */
function rangesToRead({ base, ranges }: DiskWriteRequest, geometry: MapGeometry, oneSided: readonly ByteRange[]): ByteRange[] {
  const { blockSize, virtualSize } = geometry;
  if (!base || !ranges) return normalizeRanges([{ offset: 0, length: virtualSize }]);
  const all = [...ranges, ...oneSided];
  if (base.virtualSize !== virtualSize) {
    const offset = Math.floor(Math.min(base.virtualSize, virtualSize) / blockSize) * blockSize;
    all.push({ offset, length: virtualSize - offset });
  }
  return roundOut(all, blockSize, virtualSize);
}

/** Blocks of which something is left out on one side only: of what they held before, or hold now, nothing is known. */
function leftOutOnOneSide({ base }: DiskWriteRequest, { blockSize, virtualSize }: MapGeometry, leftOut: readonly ByteRange[]): ByteRange[] {
  return base ? roundOut(differingRanges(normalizeRanges(base.leftOut), leftOut), blockSize, virtualSize) : [];
}

async function withSamples(ranges: readonly ByteRange[], request: DiskWriteRequest, geometry: MapGeometry, base: DiskMapReader) {
  const { blockSize } = geometry;
  const sampled = await sampleBlocks({
    blockSize,
    blocks: Math.min(geometry.blocks, base.geometry.blocks),
    excluded: ranges,
    changed: ranges,
    seed: request.seed ?? systemRandom.uuid(),
    hasData: async (block) => !isZeroDigest(await base.digest(0, block)),
  });
  const samples = sampled.map((block) => ({ offset: block * blockSize, length: blockLength(geometry, block), sampled: true }));
  return [...plain(ranges), ...samples].sort((a, b) => a.offset - b.offset);
}

function plain(ranges: readonly ByteRange[]): PlannedRange[] {
  return ranges.map((range) => ({ ...range, sampled: false }));
}
