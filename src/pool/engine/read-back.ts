import type { Manifest, ManifestDisk } from '../../model/manifest.ts';
import { DIGEST_BYTES } from '../block.ts';
import type { EngineOptions } from '../pool.ts';
import { DiskMapReader } from './disk-map-reader.ts';
import type { ReadableBlocks, ThreadPorts } from './engine-ports.ts';
import { createControl } from './engine-task.ts';
import type { EngineThreads } from './engine-threads.ts';
import { leafPages } from './leaf-pages.ts';
import { mapGeometry } from './map-geometry.ts';
import { digestAt, isZeroDigest } from './map-page.ts';
import { PIPELINE_SLOTS, runPipeline } from './pipeline.ts';
import { ProgressMeter } from './progress-meter.ts';
import type { ReadBackSummary, ReadBackWindow } from './read-back-task.ts';
import { Team } from './team.ts';

/** Blocks that are read back in one window. */
const WINDOW_BLOCKS = 8192;

/** Reads every block of a manifest, maps included, and digests it. The first that is wrong: MABS-BLOCK-DAMAGED or MABS-BLOCK-MISSING. */
export async function readBack(
  threads: EngineThreads,
  blocks: ReadableBlocks,
  { disks }: Pick<Manifest, 'disks'>,
  options: EngineOptions = {},
): Promise<ReadBackSummary> {
  const ports = await blocks.openPorts();
  const control = createControl();
  const totalBytes = disks.reduce((sum, { dataBytes }) => sum + dataBytes, 0);
  using meter = new ProgressMeter(control, { blockSize: blocks.blockSize, totalBytes }, options);
  const team = new Team({ kind: 'readBack', parameters: { control }, threads, blocks });
  const windows = windowsOf(disks, ports);
  const sum = { blocksRead: 0, bytesRead: 0 };
  try {
    await runPipeline<ReadBackWindow, ReadBackSummary[]>({
      async plan() {
        meter.throwIfStopped();
        const { value } = await windows.next();
        return value ?? undefined;
      },
      run: (window) => team.run(window, { inline: false }),
      async take(_window, summaries) {
        for (const { blocksRead, bytesRead } of summaries) {
          sum.blocksRead += blocksRead;
          sum.bytesRead += bytesRead;
        }
      },
    });
  } finally {
    await team.close();
    await ports[Symbol.asyncDispose]();
  }
  meter.finish();
  return sum;
}

/** The digests of the blocks of all disks, in windows. A block that comes twice in a window is read once. */
async function* windowsOf(disks: readonly ManifestDisk[], ports: ThreadPorts): AsyncGenerator<ReadBackWindow, undefined> {
  const memories = Array.from({ length: PIPELINE_SLOTS }, () => ({
    digests: new Uint8Array(new SharedArrayBuffer(WINDOW_BLOCKS * DIGEST_BYTES)),
    cursor: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)),
  }));
  const seen = new Set<string>();
  let turn = 0;
  const take = (): ReadBackWindow => {
    const memory = memories[turn]!;
    turn = (turn + 1) % memories.length;
    Atomics.store(memory.cursor, 0, 0);
    const count = seen.size;
    seen.clear();
    return { ...memory, count };
  };
  for (const disk of disks) {
    const map = new DiskMapReader(ports, Buffer.from(disk.root, 'hex'), mapGeometry(disk.virtualSize, disk.blockSize));
    for await (const { page } of leafPages(map)) {
      for (let i = 0; i < page.length / DIGEST_BYTES; i += 1) {
        const digest = digestAt(page, i);
        const key = Buffer.from(digest).toString('latin1');
        if (isZeroDigest(digest) || seen.has(key)) continue;
        memories[turn]!.digests.set(digest, seen.size * DIGEST_BYTES);
        seen.add(key);
        if (seen.size === WINDOW_BLOCKS) yield take();
      }
    }
  }
  if (seen.size > 0) yield take();
}
