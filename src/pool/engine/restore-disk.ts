import { createHash } from 'node:crypto';
import type { WritableDisk } from '../../disks/disk-format.ts';
import { checkDiskRange, type DiskSource } from '../../disks/disk-source.ts';
import { throwIfAborted } from '../../lib/errors.ts';
import type { ManifestDisk } from '../../model/manifest.ts';
import { DIGEST_BYTES } from '../block.ts';
import type { EngineOptions, RestoreResult } from '../pool.ts';
import { DiskMapReader } from './disk-map-reader.ts';
import { CHUNK_BYTES, WINDOW_PAGES, WindowMemory } from './disk-window.ts';
import type { ReadableBlocks, ThreadPorts } from './engine-ports.ts';
import { createControl } from './engine-task.ts';
import type { EngineThreads } from './engine-threads.ts';
import { type LeafPage, leafPages } from './leaf-pages.ts';
import { blockLength, MAP_FAN_OUT, type MapGeometry, mapGeometry } from './map-geometry.ts';
import { digestAt, isZeroDigest } from './map-page.ts';
import { PIPELINE_SLOTS, runPipeline } from './pipeline.ts';
import { type PlannedRange, type PlannedWindow, WindowPlanner } from './plan-windows.ts';
import { ProgressMeter } from './progress-meter.ts';
import type { RestoreSummary } from './restore-task.ts';
import { Team } from './team.ts';

/**
 * Writes a stored disk to a target that is all zero and at least as large, and flushes it. No byte of a damaged block is written:
 * MABS-BLOCK-DAMAGED names the pack and the offset. Out of space: MABS-TARGET-FULL. With `sha256` the target is read once more.
 * Every file that was opened is closed again, in every thread, before it resolves or rejects.
 */
export async function restoreDisk(
  threads: EngineThreads,
  blocks: ReadableBlocks,
  disk: ManifestDisk,
  target: WritableDisk,
  options: EngineOptions & { readonly sha256?: boolean } = {},
): Promise<RestoreResult> {
  checkDiskRange('the target', { offset: 0, length: disk.virtualSize }, target.sizeBytes);
  const ports = await blocks.openPorts();
  try {
    const bytesWritten = await writeBlocks(threads, blocks, ports, disk, target, options);
    await target.flush();
    return { bytesWritten, ...(options.sha256 ? { sha256: await sha256Of(target, disk.virtualSize, options.signal) } : {}) };
  } finally {
    await ports[Symbol.asyncDispose]();
  }
}

async function writeBlocks(
  threads: EngineThreads,
  blocks: ReadableBlocks,
  ports: ThreadPorts,
  disk: ManifestDisk,
  target: WritableDisk,
  options: EngineOptions,
): Promise<number> {
  const geometry = mapGeometry(disk.virtualSize, disk.blockSize);
  const map = new DiskMapReader(ports, Buffer.from(disk.root, 'hex'), geometry);
  const control = createControl();
  using meter = new ProgressMeter(control, { blockSize: disk.blockSize, totalBytes: disk.dataBytes }, options);
  const access = { write: (offset: number, bytes: Uint8Array) => target.write(offset, bytes) };
  const parameters = { files: target.files, blockSize: disk.blockSize, control };
  const team = new Team({ kind: 'restore', parameters, threads, blocks, access });
  const memories = Array.from({ length: PIPELINE_SLOTS }, () => new WindowMemory());
  const plans = new RestorePlans(map, target);
  let bytesWritten = 0;
  try {
    await runPipeline<PlannedWindow, RestoreSummary[]>({
      async plan(slot) {
        meter.throwIfStopped();
        return await plans.next(memories[slot]!);
      },
      run: (window) => team.run(window, { inline: window.opaque }),
      async take(_window, summaries) {
        for (const summary of summaries) bytesWritten += summary.bytesWritten;
      },
    });
  } finally {
    await team.close();
  }
  meter.finish();
  return bytesWritten;
}

/** Plans a restore: some leaf pages at a time, room in the target made for what they name. */
class RestorePlans {
  readonly #map: DiskMapReader;
  readonly #target: WritableDisk;
  readonly #pages: AsyncGenerator<LeafPage>;
  #planner: WindowPlanner | undefined;

  constructor(map: DiskMapReader, target: WritableDisk) {
    this.#map = map;
    this.#target = target;
    this.#pages = leafPages(map);
  }

  async next(memory: WindowMemory): Promise<PlannedWindow | undefined> {
    for (;;) {
      if (!this.#planner || this.#planner.done) {
        const ranges = await this.#nextRanges();
        if (ranges.length === 0) return undefined;
        await this.#target.allocate(ranges);
        this.#planner = new WindowPlanner({ source: this.#target, geometry: this.#map.geometry, base: this.#map, ranges, leftOut: [] });
      }
      const window = await this.#planner.next(memory);
      // Blocks without any extent would silently be left zero.
      if (window && window.emptyBytes > 0) throw new Error('the target made no room for all that is to be restored');
      if (window) return window;
    }
  }

  async #nextRanges(): Promise<PlannedRange[]> {
    const ranges: PlannedRange[] = [];
    for (let count = 0; count < WINDOW_PAGES; count += 1) {
      const { value, done } = await this.#pages.next();
      if (done) break;
      addDataRanges(value, this.#map.geometry, ranges);
    }
    return ranges;
  }
}

/** Adds the blocks of a page that are not zero, neighbours joined. */
function addDataRanges({ index, page }: LeafPage, geometry: MapGeometry, ranges: PlannedRange[]): void {
  for (let i = 0; i < page.length / DIGEST_BYTES; i += 1) {
    if (isZeroDigest(digestAt(page, i))) continue;
    const block = index * MAP_FAN_OUT + i;
    const offset = block * geometry.blockSize;
    const length = blockLength(geometry, block);
    const last = ranges.at(-1);
    if (last && last.offset + last.length === offset) ranges[ranges.length - 1] = { ...last, length: last.length + length };
    else ranges.push({ offset, length, sampled: false });
  }
}

async function sha256Of(disk: DiskSource, length: number, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256');
  const buffer = new Uint8Array(Math.min(length, CHUNK_BYTES));
  for (let offset = 0; offset < length; offset += buffer.length) {
    throwIfAborted(signal);
    const part = buffer.subarray(0, Math.min(buffer.length, length - offset));
    await disk.read(offset, part);
    hash.update(part);
  }
  return hash.digest('hex');
}
