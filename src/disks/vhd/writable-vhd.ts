import type { ByteRange } from '../../lib/byte-range.ts';
import { isZero } from '../../lib/zeros.ts';
import type { WritableDisk } from '../disk-format.ts';
import { checkDiskRange } from '../disk-source.ts';
import { type BlockTable, sectorRuns, setSectors } from './block-table.ts';
import { VhdDisk } from './vhd-disk.ts';
import { VhdFooterError } from './vhd-errors.ts';
import type { VhdImage } from './vhd-image.ts';

const PIECE = 1024 * 1024;
/** Changed bitmaps and table rows above this many are written before more are changed. */
const MAX_CHANGES = 4096;
const PAYLOAD_ALIGNMENT = 4096;

/**
 * A VHD opened to be written in place. Payload goes to its place at once; bits and table entries stay in memory until `flush`, which
 * makes the payload durable before it writes them. While the file grows it has no footer at its end: the copy at its start counts,
 * until `flush` writes the footer anew. So a crash at any moment loses at most what was never flushed.
 */
export class WritableVhd extends VhdDisk implements WritableDisk {
  readonly #image: VhdImage;
  readonly #table: BlockTable | undefined;
  readonly #isDifferencing: boolean;
  /** Where the next block may begin: the end of the file without its footer. */
  #end: number;
  #hasFooter: boolean;
  #queue: Promise<unknown> = Promise.resolve();
  #disposed = false;

  /** The file of `layers[0]` is open for reading and writing. */
  constructor(layers: readonly VhdImage[]) {
    super(layers);
    const [image] = layers;
    const { file, footer, sparse } = image!;
    if (!sparse && footer.virtualSize > (footer.position ?? 0)) throw new VhdFooterError(file.path, 'its file is shorter than the disk');
    this.#image = image!;
    this.#table = sparse?.table;
    this.#isDifferencing = footer.subformat === 'differencing';
    this.#hasFooter = footer.position !== undefined;
    this.#end = footer.position ?? file.sizeBytes;
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    checkDiskRange(this.#image.path, { offset, length: bytes.length }, this.sizeBytes);
    await this.#inTurn(() => this.#write(offset, bytes));
  }

  async writeZeros(range: ByteRange): Promise<void> {
    checkDiskRange(this.#image.path, range, this.sizeBytes);
    await this.#inTurn(async () => {
      for (let at = range.offset; at < range.offset + range.length; at += PIECE) {
        await this.#write(at, new Uint8Array(Math.min(PIECE, range.offset + range.length - at)));
      }
    });
  }

  async allocate(ranges: readonly ByteRange[]): Promise<void> {
    for (const range of ranges) checkDiskRange(this.#image.path, range, this.sizeBytes);
    if (this.#isDifferencing) throw new Error(`${this.#image.path}: room is not made in a differencing disk`);
    const table = this.#table;
    if (!table) return;
    await this.#inTurn(async () => {
      for (const range of ranges) await this.#eachBlock(table, range, (block) => this.#allocateBlock(table, block));
    });
  }

  async flush(): Promise<void> {
    await this.#inTurn(() => this.#flush());
  }

  /** Flushes and closes. After a failed flush the file is closed all the same. */
  override async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    try {
      await this.flush();
    } finally {
      await super[Symbol.asyncDispose]();
    }
  }

  /** Runs one change after the other: two at once could give one block two places. */
  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(task);
    this.#queue = result.catch(() => {});
    return result;
  }

  async #write(offset: number, bytes: Uint8Array): Promise<void> {
    const table = this.#table;
    if (!table) return this.#writeFixed(offset, bytes);
    await this.#eachBlock(table, { offset, length: bytes.length }, (block, part) =>
      this.#writeInBlock(table, block, part.offset, bytes.subarray(part.offset - offset, part.offset - offset + part.length)),
    );
  }

  /** Zeros are not written over zeros, so that holes stay holes. */
  async #writeFixed(offset: number, bytes: Uint8Array): Promise<void> {
    if (isZero(bytes)) {
      const present = new Uint8Array(bytes.length);
      await this.#image.file.read(offset, present);
      if (isZero(present)) return;
    }
    await this.#image.file.write(offset, bytes);
  }

  async #eachBlock(table: BlockTable, range: ByteRange, run: (block: number, part: ByteRange) => Promise<void>): Promise<void> {
    const end = range.offset + range.length;
    for (let at = range.offset; at < end; ) {
      const block = Math.floor(at / table.blockSize);
      const length = Math.min(end, (block + 1) * table.blockSize) - at;
      await run(block, { offset: at, length });
      at += length;
      if (table.changes >= MAX_CHANGES) await this.#flush();
    }
  }

  async #writeInBlock(table: BlockTable, block: number, offset: number, bytes: Uint8Array): Promise<void> {
    const isAbsent = table.payload(block) === undefined;
    if (isAbsent && !this.#isDifferencing && isZero(bytes)) return;
    const whole = await this.#wholeSectors(offset, bytes);
    const payload = table.payload(block) ?? (await this.#newBlock(table, block));
    const within = whole.offset - block * table.blockSize;
    await this.#image.file.write(payload + within, whole.bytes);
    const bitmap = await table.bitmap(block);
    const [run] = sectorRuns(bitmap, within / 512, (within + whole.bytes.length) / 512);
    if (run!.isSet && run!.to === (within + whole.bytes.length) / 512) return;
    setSectors(bitmap, within / 512, (within + whole.bytes.length) / 512);
    table.markChanged(block);
  }

  /** Makes a block present, with all its bits set; what had none is zero, also where the file held something else. */
  async #allocateBlock(table: BlockTable, block: number): Promise<void> {
    const payload = table.payload(block);
    if (payload === undefined) {
      await this.#newBlock(table, block);
      return;
    }
    const sectors = table.blockSize / 512;
    const bitmap = await table.bitmap(block);
    for (const { from, to, isSet } of sectorRuns(bitmap, 0, sectors)) {
      if (isSet) continue;
      await this.#image.file.write(payload + from * 512, new Uint8Array((to - from) * 512));
      setSectors(bitmap, from, to);
      table.markChanged(block);
    }
  }

  /** Bytes grown to whole sectors by what the disk shows around them. The disk itself ends at a sector's end. */
  async #wholeSectors(offset: number, bytes: Uint8Array): Promise<{ readonly offset: number; readonly bytes: Uint8Array }> {
    const start = offset - (offset % 512);
    const end = Math.ceil((offset + bytes.length) / 512) * 512;
    if (start === offset && end === offset + bytes.length) return { offset, bytes };
    const whole = new Uint8Array(end - start);
    await this.read(start, whole.subarray(0, 512));
    await this.read(end - 512, whole.subarray(whole.length - 512));
    whole.set(bytes, offset - start);
    return { offset: start, bytes: whole };
  }

  /**
   * Gives a block room at the end of the file, all zero, with its payload on a page. Bits of a dynamic image are all set at once, as
   * Hyper-V does; those of a differencing one as sectors are written.
   */
  async #newBlock(table: BlockTable, block: number): Promise<number> {
    const payload = Math.ceil((this.#end + table.bitmapSize) / PAYLOAD_ALIGNMENT) * PAYLOAD_ALIGNMENT;
    const position = payload - table.bitmapSize;
    // Where the footer stood becomes part of a block and has to be zero.
    if (this.#hasFooter) await this.#image.file.truncate(this.#end);
    this.#hasFooter = false;
    await this.#image.file.truncate(payload + table.blockSize);
    this.#end = payload + table.blockSize;
    const bitmap = new Uint8Array(table.bitmapSize).fill(this.#isDifferencing ? 0 : 0xff);
    await this.#image.file.write(position, bitmap);
    table.place(block, position, bitmap);
    return payload;
  }

  /** First the payload, then the bits, then table and footer: each step is durable before the next one refers to it. */
  async #flush(): Promise<void> {
    const { file, footer } = this.#image;
    await file.sync();
    if (!this.#table || (this.#table.changes === 0 && this.#hasFooter)) return;
    const write = (position: number, bytes: Uint8Array): Promise<void> => file.write(position, bytes);
    await this.#table.writeBitmaps(write);
    if (!this.#hasFooter) await file.write(this.#end, footer.bytes);
    this.#hasFooter = true;
    await file.sync();
    await this.#table.writeEntries(write);
    await file.sync();
  }
}
