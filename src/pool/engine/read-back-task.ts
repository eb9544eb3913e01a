import { DIGEST_BYTES, type SealedPack } from '../block.ts';
import type { ThreadPorts } from './engine-ports.ts';
import { Control, type ControlWords, type EngineTask, throwIfStopped } from './engine-task.ts';
import { locateBlocks, readLocated } from './locate-blocks.ts';

/** Digests that a task claims at a time. */
const CLAIMED_BLOCKS = 64;

/** How blocks are read back; plain data. */
export interface ReadBackParameters {
  readonly control: ControlWords;
}

/** Digests to read back, in shared memory. */
export interface ReadBackWindow {
  readonly digests: Uint8Array<SharedArrayBuffer>;
  readonly count: number;
  /** The next digest to claim. */
  readonly cursor: Int32Array<SharedArrayBuffer>;
}

export interface ReadBackSummary {
  readonly blocksRead: number;
  readonly bytesRead: number;
}

/** Reads blocks and compares them with their digests, in the order of the packs. */
export class ReadBackTask implements EngineTask<ReadBackWindow, ReadBackSummary> {
  readonly #parameters: ReadBackParameters;
  readonly #ports: ThreadPorts;

  constructor(parameters: ReadBackParameters, ports: ThreadPorts) {
    this.#parameters = parameters;
    this.#ports = ports;
  }

  async run({ digests, count, cursor }: ReadBackWindow): Promise<ReadBackSummary> {
    const { control } = this.#parameters;
    let blocksRead = 0;
    let bytesRead = 0;
    for (;;) {
      const first = Atomics.add(cursor, 0, CLAIMED_BLOCKS);
      if (first >= count) return { blocksRead, bytesRead };
      const claimed = digests.subarray(first * DIGEST_BYTES, Math.min(first + CLAIMED_BLOCKS, count) * DIGEST_BYTES);
      await readLocated(this.#ports, await locateBlocks(this.#ports, claimed), (_block, raw) => {
        throwIfStopped(control);
        blocksRead += 1;
        bytesRead += raw.length;
        Atomics.add(control, Control.blocksDone, 1);
      });
    }
  }

  async finish(): Promise<SealedPack[]> {
    return [];
  }

  async close(): Promise<void> {}
}
