import type { FileDescriptor } from '../../disks/disk-source.ts';
import { alignedBuffer } from '../../lib/aligned-buffer.ts';
import { MabsError } from '../../lib/errors.ts';
import { BlockKind, type BlockLocation, DIGEST_BYTES, type PackWriter, type PoolKeys, type SealedPack } from '../block.ts';
import { createDigester, type Digester } from '../digest.ts';
import { codeBlock, decodesTo } from './block-coder.ts';
import { BlockState, CHUNK_BYTES, Chunk, claimChunk, type DiskWindow } from './disk-window.ts';
import type { ThreadPorts } from './engine-ports.ts';
import { Control, type ControlWords, type EngineTask, throwIfStopped } from './engine-task.ts';
import { isReadable } from './read-block.ts';
import { RunTable } from './run-table.ts';
import { type ReadOpaque, SourceReader } from './source-reader.ts';

/** How a disk is scanned; plain data. */
export interface ScanParameters {
  readonly files: readonly FileDescriptor[];
  readonly blockSize: number;
  readonly keys?: PoolKeys;
  readonly control: ControlWords;
  /** Absent: blocks are compared only, nothing is stored. */
  readonly store?: {
    readonly compressionLevel: number;
    readonly verifyNew: boolean;
    readonly runTable: SharedArrayBuffer;
    /** Every block that is not stored anew is read back, and stored again where its copy is missing or damaged. */
    readonly readStored: boolean;
  };
}

export interface ScanWindow extends DiskWindow {
  /** Seal the packs written so far before this window. */
  readonly sealFirst: boolean;
}

/** What a task did of a window. Blocks that differ are told by the window itself. */
export interface ScanSummary {
  readonly bytesTransferred: number;
  readonly bytesStored: number;
  readonly blocksMended: number;
  readonly sampleMismatches: number;
  readonly sealed: readonly SealedPack[];
}

/**
 * Reads the chunks of windows, digests each block and compares it with the map; stores what the pool does not have. The next chunk
 * is being read while one is worked on. Memory: two chunks, and what a writer of packs holds.
 */
export class ScanTask implements EngineTask<ScanWindow, ScanSummary> {
  readonly #parameters: ScanParameters;
  readonly #ports: ThreadPorts;
  readonly #source: SourceReader;
  readonly #digestOf: Digester;
  readonly #packs: PackWriter | undefined;
  readonly #runTable: RunTable | undefined;
  readonly #zero: Buffer;
  readonly #buffers: Buffer[] = [];
  #bytesTransferred = 0;
  #blocksMended = 0;
  #sampleMismatches = 0;

  constructor(parameters: ScanParameters, ports: ThreadPorts, readOpaque?: ReadOpaque) {
    const { store } = parameters;
    this.#parameters = parameters;
    this.#ports = ports;
    this.#source = new SourceReader(parameters.files, readOpaque);
    this.#digestOf = createDigester(parameters.keys);
    this.#packs = store && ports.createPackWriter();
    this.#runTable = store && RunTable.over(store.runTable);
    this.#zero = Buffer.alloc(parameters.blockSize);
  }

  async run(window: ScanWindow): Promise<ScanSummary> {
    const sealed = window.sealFirst ? await this.finish() : [];
    const storedBefore = this.#packs?.storedBytes ?? 0;
    [this.#bytesTransferred, this.#blocksMended, this.#sampleMismatches] = [0, 0, 0];
    let reading = this.#readAhead(window, 0);
    try {
      for (let turn = 1; ; turn += 1) {
        const row = await reading;
        if (row < 0) break;
        reading = this.#readAhead(window, turn % 2);
        await this.#work(window, row, this.#buffers[1 - (turn % 2)]!);
      }
    } finally {
      await reading.catch(() => {});
    }
    return {
      ...{
        bytesTransferred: this.#bytesTransferred,
        bytesStored: (this.#packs?.storedBytes ?? 0) - storedBefore,
        blocksMended: this.#blocksMended,
      },
      ...{ sampleMismatches: this.#sampleMismatches, sealed },
    };
  }

  async finish(): Promise<SealedPack[]> {
    return (await this.#packs?.finish()) ?? [];
  }

  async close(): Promise<void> {
    await this.#source.close();
    await this.#packs?.abort().catch(() => {});
  }

  /** A failure is told to whoever awaits the result, and to no one else while the chunk before is still being worked on. */
  #readAhead(window: DiskWindow, buffer: number): Promise<number> {
    const reading = this.#readNext(window, buffer);
    reading.catch(() => {});
    return reading;
  }

  async #readNext(window: DiskWindow, buffer: number): Promise<number> {
    throwIfStopped(this.#parameters.control);
    const row = claimChunk(window);
    if (row < 0) return row;
    const size = Math.max(CHUNK_BYTES, this.#parameters.blockSize);
    this.#buffers[buffer] ??= Buffer.from(alignedBuffer(size).buffer, 0, size);
    await this.#source.readChunk(window, row, this.#buffers[buffer]);
    return row;
  }

  async #work(window: DiskWindow, row: number, buffer: Buffer): Promise<void> {
    const { control, blockSize } = this.#parameters;
    const { chunks } = window;
    const blocks = chunks[row + Chunk.blocks]!;
    const slot = chunks[row + Chunk.slot]!;
    const length = chunks[row + Chunk.length]!;
    const sampled = chunks[row + Chunk.sampled] === 1;
    for (let i = 0; i < blocks; i += 1) {
      throwIfStopped(control);
      const block = buffer.subarray(i * blockSize, Math.min((i + 1) * blockSize, length));
      if (sampled) this.#sample(window, slot + i, block);
      else await this.#scan(window, slot + i, block);
    }
    Atomics.add(control, Control.blocksDone, blocks);
  }

  #sample(window: DiskWindow, slot: number, block: Buffer): void {
    const at = slot * DIGEST_BYTES;
    const digest = this.#isZero(block) ? this.#zero.subarray(0, DIGEST_BYTES) : this.#digestOf(block);
    if (digest.compare(window.known, at, at + DIGEST_BYTES) !== 0) this.#sampleMismatches += 1;
  }

  async #scan(window: DiskWindow, slot: number, block: Buffer): Promise<void> {
    const at = slot * DIGEST_BYTES;
    const zero = this.#isZero(block);
    const digest = zero ? this.#zero.subarray(0, DIGEST_BYTES) : (this.#digestOf(block) as Buffer);
    const same = digest.compare(window.known, at, at + DIGEST_BYTES) === 0;
    if (!same) {
      window.found.set(digest, at);
      window.states[slot] = BlockState.differs;
    }
    if (zero || !this.#packs) return;
    if (!same) await this.#store(digest, block);
    else if (this.#parameters.store!.readStored) await this.#mend(digest, block);
  }

  #isZero(block: Buffer): boolean {
    return block[0] === 0 && block.equals(block.length === this.#zero.length ? this.#zero : this.#zero.subarray(0, block.length));
  }

  async #store(digest: Buffer, block: Buffer): Promise<void> {
    if (!this.#runTable!.claim(digest)) return;
    const location = await this.#ports.index.findReusable(digest);
    if (location && (await this.#isUsable(digest, location))) return;
    await this.#add(digest, block);
    if (location) this.#blocksMended += 1;
  }

  /** Stores a block of the base again when its stored copy is missing or damaged. */
  async #mend(digest: Buffer, block: Buffer): Promise<void> {
    if (!this.#runTable!.claim(digest)) return;
    const location = await this.#ports.index.find(digest);
    if (location && (await this.#isUsable(digest, location))) return;
    await this.#add(digest, block);
    this.#blocksMended += 1;
  }

  async #isUsable(digest: Buffer, location: BlockLocation): Promise<boolean> {
    return !this.#parameters.store!.readStored || (await isReadable(this.#ports, digest, location));
  }

  async #add(digest: Buffer, block: Buffer): Promise<void> {
    const { compressionLevel, verifyNew } = this.#parameters.store!;
    const code = codeBlock(block, compressionLevel);
    const isRight = (raw: Uint8Array) => digest.equals(this.#digestOf(raw));
    if (verifyNew && !decodesTo(code, block.length, isRight)) throw new BlockMiscodedError(digest);
    await this.#packs!.add(digest, { kind: BlockKind.data, rawLength: block.length, ...code });
    this.#bytesTransferred += block.length;
  }
}

/** A block just compressed does not give its content back. */
export class BlockMiscodedError extends MabsError {
  readonly code = 'MABS-BLOCK-MISCODED';
  readonly hint = 'Nothing of it was committed. Test the memory and the processor of this machine, then run the command again.';
  constructor(digest: Uint8Array) {
    super(`block ${Buffer.from(digest).toString('hex')} changed between being read and being stored`);
  }
}
