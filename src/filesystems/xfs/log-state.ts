import { struct, u8, u16le, u32be, u64le } from '../../lib/struct.ts';
import type { XfsVolume } from './xfs-volume.ts';

/** The log counts blocks of 512 bytes, whatever the file system's are (XFS Algorithms & Data Structures, Journaling Log). */
const BLOCK = 512;
const RECORD = struct(336, {
  magic: u32be(0),
  cycle: u32be(4),
  version: u32be(8),
  length: u32be(12),
  tailBlock: u32be(28),
  operations: u32be(40),
  format: u32be(300),
  size: u32be(320),
});
const RECORD_MAGIC = 0xfeedbabe;
/** A record may have a head for each 32 KiB of its size. */
const BYTES_A_HEAD = 32 * 1024;
/** Operations of a record, each followed by as many bytes as it says. */
const OPERATION = struct(12, { length: u32be(4), flags: u8(9) });
const UNMOUNT = 0x20;
/** What is behind them is in the order of the machine that wrote it; 1 is little-endian. */
const LITTLE_ENDIAN = 1;
/** A changed buffer: where it begins, in blocks of 512 bytes (`struct xfs_buf_log_format`). */
const BUFFER = struct(24, { type: u16le(0), block: u64le(8) });
const BUFFER_TYPE = 0x123c;
/** A transaction that changes one buffer: start, head, the buffer, its bytes, commit. */
const SINGLE_CHANGE = 5;
/** A freeze leaves two. */
const MOST_FROZEN = 16;
/** A record is at most 256 KiB long. */
const MOST_BLOCKS = 256 * 2 + 8;

/**
 * Whether nothing is pending that concerns a file: the last that was written to the log says that the file system was unmounted, or
 * all that is pending changes the superblock alone, as after a freeze, which brings everything else to its place. False too when that
 * cannot be told: a log on another device, or one whose end does not look like any.
 */
export async function nothingIsPending(volume: XfsVolume): Promise<boolean> {
  const { logStart, logBlocks, blockSize } = volume.superblock;
  if (logStart === 0 || logBlocks === 0) return false;
  const log = new Log(volume, volume.runAt(logStart, logBlocks, 'the log').block * blockSize, (logBlocks * blockSize) / BLOCK);
  const head = await log.head();
  if (head === 'never written') return true;
  return await log.isQuiet(head);
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

  /** Looks at the record that ends at `head`. A record may go over the log's end, on to its beginning. */
  async isQuiet(head: number): Promise<boolean> {
    for (let length = 1; length <= Math.min(MOST_BLOCKS, this.#count); length++) {
      const block = (head - length + this.#count) % this.#count;
      const record = RECORD.read(await this.#block(block));
      if (record.magic !== RECORD_MAGIC) continue;
      if (lengthOf(record) !== length) return false;
      return (await this.#isUnmount(block, record)) || (await this.#isFrozen(record.tailBlock, head % this.#count));
    }
    return false;
  }

  async #isUnmount(block: number, record: LogRecord): Promise<boolean> {
    return record.operations === 1 && (OPERATION.read(await this.#contentOf(block, record)).flags & UNMOUNT) !== 0;
  }

  /** Whether all records from the oldest that is pending up to the head change nothing but the superblock. */
  async #isFrozen(tail: number, head: number): Promise<boolean> {
    let block = tail % this.#count;
    for (let records = 0; records < MOST_FROZEN; records++) {
      const record = RECORD.read(await this.#block(block));
      if (record.magic !== RECORD_MAGIC || record.format !== LITTLE_ENDIAN || record.operations !== SINGLE_CHANGE) return false;
      if (!changesSuperblock(await this.#contentOf(block, record))) return false;
      block = (block + lengthOf(record)) % this.#count;
      if (block === head) return true;
    }
    return false;
  }

  /** The first block behind the heads of a record. */
  async #contentOf(block: number, record: LogRecord): Promise<Uint8Array> {
    return await this.#block((block + headsOf(record)) % this.#count);
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

type LogRecord = ReturnType<typeof RECORD.read>;

const headsOf = ({ version, size }: LogRecord) => (version >= 2 && size > BYTES_A_HEAD ? Math.ceil(size / BYTES_A_HEAD) : 1);
const lengthOf = (record: LogRecord) => headsOf(record) + Math.ceil(record.length / BLOCK);

/** The third operation of such a transaction names the buffer; the two before it, and what follows them, fit into a block. */
function changesSuperblock(content: Uint8Array): boolean {
  let at = 0;
  for (let operation = 0; operation < 2; operation++) {
    if (at + OPERATION.size > content.length) return false;
    at += OPERATION.size + OPERATION.read(content, at).length;
  }
  at += OPERATION.size;
  if (at + BUFFER.size > content.length) return false;
  // The buffer that begins with the volume is the superblock's sector, however large sectors are.
  const { type, block } = BUFFER.read(content, at);
  return type === BUFFER_TYPE && block === 0n;
}
