import type { DiskSource } from '../../disks/disk-source.ts';
import { type ByteRange, normalizeRanges } from '../../lib/byte-range.ts';
import type { ManifestDisk } from '../../model/manifest.ts';
import type { EngineOptions } from '../pool.ts';
import { DiskMapReader } from './disk-map-reader.ts';
import { BlockState, WindowMemory } from './disk-window.ts';
import type { ReadableBlocks, ThreadPorts } from './engine-ports.ts';
import { createControl } from './engine-task.ts';
import type { EngineThreads } from './engine-threads.ts';
import { blockLength, MAP_FAN_OUT, type MapGeometry, mapGeometry } from './map-geometry.ts';
import { PIPELINE_SLOTS, runPipeline } from './pipeline.ts';
import { type PlannedWindow, WindowPlanner } from './plan-windows.ts';
import { ProgressMeter } from './progress-meter.ts';
import type { ScanSummary } from './scan-task.ts';
import { Team } from './team.ts';

export interface DiskComparison {
  /** Whole blocks (but for one that an end cuts) that differ; where sizes differ, all behind the smaller end too. Normalized. */
  readonly differing: readonly ByteRange[];
  readonly bytesRead: number;
}

/** Reads a whole source and compares it, block by block, with the map of a stored disk. What that left out counts as zero. */
export async function compareDisk(
  threads: EngineThreads,
  blocks: ReadableBlocks,
  disk: ManifestDisk,
  source: DiskSource,
  options: EngineOptions = {},
): Promise<DiskComparison> {
  const ports = await blocks.openPorts();
  try {
    return await compareWith(threads, blocks, ports, disk, source, options);
  } finally {
    await ports[Symbol.asyncDispose]();
  }
}

async function compareWith(
  threads: EngineThreads,
  blocks: ReadableBlocks,
  ports: ThreadPorts,
  disk: ManifestDisk,
  source: DiskSource,
  options: EngineOptions,
): Promise<DiskComparison> {
  const geometry = mapGeometry(disk.virtualSize, disk.blockSize);
  const { common, tail } = splitAtSmaller(disk, source);
  const base = new DiskMapReader(ports, Buffer.from(disk.root, 'hex'), geometry);
  const leftOut = normalizeRanges(disk.leftOut.map(([offset, length]) => ({ offset, length })));
  const ranges = common > 0 ? [{ offset: 0, length: common, sampled: false }] : [];
  const planner = new WindowPlanner({ source, geometry, base, ranges, leftOut });
  const control = createControl();
  using meter = new ProgressMeter(control, { blockSize: disk.blockSize, totalBytes: common }, options);
  const parameters = { files: source.files, blockSize: disk.blockSize, control, ...(blocks.keys ? { keys: blocks.keys } : {}) };
  const access = { read: (offset: number, into: Uint8Array) => source.read(offset, into) };
  const team = new Team({ kind: 'scan', parameters, threads, blocks, access });
  const memories = Array.from({ length: PIPELINE_SLOTS }, () => new WindowMemory());
  const differing: ByteRange[] = [];
  let bytesRead = 0;
  try {
    await runPipeline<PlannedWindow, ScanSummary[]>({
      async plan(slot) {
        meter.throwIfStopped();
        const window = await planner.next(memories[slot]!);
        meter.passedBytes += window?.emptyBytes ?? 0;
        return window;
      },
      run: async (window) => (window.chunkCount === 0 ? [] : await team.run({ ...window, sealFirst: false }, { inline: window.opaque })),
      async take(window) {
        bytesRead += window.scannedBytes;
        collectDiffering(window, geometry, differing);
      },
    });
  } finally {
    await team.close();
  }
  meter.finish();
  return { differing: normalizeRanges([...differing, ...tail]), bytesRead };
}

/** What both disks have, in whole blocks, and what only one of them has. */
function splitAtSmaller({ virtualSize, blockSize }: ManifestDisk, { sizeBytes }: DiskSource): { common: number; tail: ByteRange[] } {
  if (sizeBytes === virtualSize) return { common: virtualSize, tail: [] };
  const common = Math.floor(Math.min(virtualSize, sizeBytes) / blockSize) * blockSize;
  return { common, tail: [{ offset: common, length: Math.max(virtualSize, sizeBytes) - common }] };
}

/** Adds the blocks of a window that differ, joined with their neighbours so that memory goes by the number of places that differ. */
function collectDiffering({ pages, states }: PlannedWindow, geometry: MapGeometry, differing: ByteRange[]): void {
  for (const [place, page] of pages.entries()) {
    for (let i = 0; i < MAP_FAN_OUT; i += 1) {
      if (states[place * MAP_FAN_OUT + i] !== BlockState.differs) continue;
      const block = page * MAP_FAN_OUT + i;
      const offset = block * geometry.blockSize;
      const length = blockLength(geometry, block);
      const last = differing.at(-1);
      if (last && last.offset + last.length === offset)
        differing[differing.length - 1] = { offset: last.offset, length: last.length + length };
      else differing.push({ offset, length });
    }
  }
}
