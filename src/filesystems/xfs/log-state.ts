import { struct, u8, u32be } from '../../lib/struct.ts';
import type { XfsVolume } from './xfs-volume.ts';

/** The log counts blocks of 512 bytes, whatever the file system's are (XFS Algorithms & Data Structures, Journaling Log). */
const BLOCK = 512;
const RECORD = struct(336, {
  magic: u32be(0),
  cycle: u32be(4),
  version: u32be(8),
  length: u32be(12),
  operations: u32be(40),
  size: u32be(320),
});
const RECORD_MAGIC = 0xfeedbabe;
/** A record may have a head for each 32 KiB of its size. */
const BYTES_A_HEAD = 32 * 1024;
/** The first operation of a record. */
const OPERATION = struct(12, { flags: u8(9) });
const UNMOUNT = 0x20;
/** A record is at most 256 KiB long. */
const MOST_BLOCKS = 256 * 2 + 8;

/**
 * Whether the last that was written to the log says that the file system was unmounted, so that nothing is pending. False too when
 * that cannot be told: a log on another device, or one whose end does not look like any.
 */
export async function isUnmounted(volume: XfsVolume): Promise<boolean> {
  const { logStart, logBlocks, blockSize } = volume.superblock;
  if (logStart === 0 || logBlocks === 0) return false;
  const log = new Log(volume, volume.runAt(logStart, logBlocks, 'the log').block * blockSize, (logBlocks * blockSize) / BLOCK);
  const head = await log.head();
  return head === 'never written' || (await log.endsUnmounted(head));
}

class Log {
  readonly #volume: XfsVolume;
  readonly #position: number;
  readonly #count: number;

  constructor(volume: XfsVolume, position: number, count: number) {
    this.#volume = volume;
    this.#position = position;
    this.#count = count;
  }

  /**
   * The block that would be written next. Each block bears the number of the round in which it was written: those before the head one
   * more than those behind it, which are from the round before, or never written. Found by halving.
   */
  async head(): Promise<number | 'never written'> {
    const first = await this.#cycle(0);
    const last = await this.#cycle(this.#count - 1);
    if (first === last) return first === 0 ? 'never written' : this.#count;
    let [low, high] = [0, this.#count - 1];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if ((await this.#cycle(middle)) === first) low = middle;
      else high = middle;
    }
    return high;
  }

  /** Whether the record that ends at `head` is the one of an unmount. A record may go over the log's end, on to its beginning. */
  async endsUnmounted(head: number): Promise<boolean> {
    for (let length = 1; length <= Math.min(MOST_BLOCKS, this.#count); length++) {
      const block = (head - length + this.#count) % this.#count;
      const record = RECORD.read(await this.#block(block));
      if (record.magic === RECORD_MAGIC) return await this.#isUnmount(block, record, length);
    }
    return false;
  }

  async #isUnmount(block: number, { version, size, length, operations }: ReturnType<typeof RECORD.read>, blocks: number): Promise<boolean> {
    const heads = version >= 2 && size > BYTES_A_HEAD ? Math.ceil(size / BYTES_A_HEAD) : 1;
    if (heads + Math.ceil(length / BLOCK) !== blocks || operations !== 1) return false;
    return (OPERATION.read(await this.#block((block + heads) % this.#count)).flags & UNMOUNT) !== 0;
  }

  /** The round of a block: the first word, or the second where the block begins a record. */
  async #cycle(block: number): Promise<number> {
    const { magic, cycle } = RECORD.read(await this.#block(block));
    return magic === RECORD_MAGIC ? cycle : magic;
  }

  async #block(block: number): Promise<Uint8Array> {
    return await this.#volume.bytesAt(this.#position + block * BLOCK, BLOCK);
  }
}
