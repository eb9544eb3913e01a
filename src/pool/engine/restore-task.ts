import type { FileDescriptor } from '../../disks/disk-source.ts';
import { alignedBuffer } from '../../lib/aligned-buffer.ts';
import { DIGEST_BYTES, type SealedPack } from '../block.ts';
import { BlockDamagedError } from '../pool-errors.ts';
import { CHUNK_BYTES, Chunk, claimChunk, type DiskWindow } from './disk-window.ts';
import type { ThreadPorts } from './engine-ports.ts';
import { Control, type ControlWords, type EngineTask, throwIfStopped } from './engine-task.ts';
import { locateBlocks, readLocated } from './locate-blocks.ts';
import { TargetWriter, type WriteOpaque } from './target-writer.ts';

/** How a disk is restored; plain data. */
export interface RestoreParameters {
  readonly files: readonly FileDescriptor[];
  readonly blockSize: number;
  readonly control: ControlWords;
}

export interface RestoreSummary {
  readonly bytesWritten: number;
}

/**
 * Reads the blocks of each chunk, verified, and writes them to the target: one chunk is being written while the next is read.
 * Nothing of a chunk is written when one of its blocks is damaged.
 */
export class RestoreTask implements EngineTask<DiskWindow, RestoreSummary> {
  readonly #parameters: RestoreParameters;
  readonly #ports: ThreadPorts;
  readonly #target: TargetWriter;
  readonly #buffers: Buffer[] = [];

  constructor(parameters: RestoreParameters, ports: ThreadPorts, writeOpaque?: WriteOpaque) {
    this.#parameters = parameters;
    this.#ports = ports;
    this.#target = new TargetWriter(parameters.files, writeOpaque);
  }

  async run(window: DiskWindow): Promise<RestoreSummary> {
    let bytesWritten = 0;
    let writing = Promise.resolve();
    try {
      for (let turn = 0; ; turn = 1 - turn) {
        throwIfStopped(this.#parameters.control);
        const row = claimChunk(window);
        if (row < 0) break;
        const bytes = await this.#readChunk(window, row, turn);
        await writing;
        writing = this.#target.writeChunk(window, row, bytes);
        writing.catch(() => {});
        bytesWritten += bytes.length;
        Atomics.add(this.#parameters.control, Control.blocksDone, window.chunks[row + Chunk.blocks]!);
      }
    } finally {
      await writing.catch(() => {});
    }
    await writing;
    return { bytesWritten };
  }

  async finish(): Promise<SealedPack[]> {
    return [];
  }

  async close(): Promise<void> {
    await this.#target.close();
  }

  async #readChunk(window: DiskWindow, row: number, turn: number): Promise<Uint8Array> {
    const { chunks, known } = window;
    const { blockSize } = this.#parameters;
    const size = Math.max(CHUNK_BYTES, blockSize);
    this.#buffers[turn] ??= Buffer.from(alignedBuffer(size).buffer, 0, size);
    const buffer = this.#buffers[turn].subarray(0, chunks[row + Chunk.length]!);
    const at = chunks[row + Chunk.slot]! * DIGEST_BYTES;
    const digests = known.subarray(at, at + chunks[row + Chunk.blocks]! * DIGEST_BYTES);
    await readLocated(this.#ports, await locateBlocks(this.#ports, digests), ({ index, location }, raw) => {
      throwIfStopped(this.#parameters.control);
      const place = buffer.subarray(index * blockSize, (index + 1) * blockSize);
      if (raw.length !== place.length) throw new BlockDamagedError(location.pack, location.offset, `its place has ${place.length} bytes`);
      place.set(raw);
    });
    return buffer;
  }
}
