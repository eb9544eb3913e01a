import { randomUUID } from 'node:crypto';
import type { ByteRange } from '../../lib/byte-range.ts';
import type { RandomAccessFile } from '../../lib/random-access-file.ts';
import type { WritableDisk } from '../disk-format.ts';
import { checkDiskRange } from '../disk-source.ts';
import { BITMAP_BLOCK_SIZE, bitmapSliceOf } from './block-layout.ts';
import { type BlockEntry, BlockState } from './block-table.ts';
import { HeaderWriter } from './header-writer.ts';
import { setSectors } from './sector-bitmap.ts';
import { VhdxDisk } from './vhdx-disk.ts';
import type { VhdxImage } from './vhdx-image.ts';
import { MIB, roundUp } from './vhdx-units.ts';

/** Changed table pages above this many (16 MiB) are written before more are changed. */
const MAX_DIRTY_PAGES = 256;
const ZEROS_AT_ONCE = MIB;

export interface WritingOptions {
  /** The file was made in this session: its identity is new already. */
  readonly isNew?: boolean;
  /**
   * The data write GUID stays until `changeIdentity`: for a merge, which does not change what the child shows, so that the
   * child can be opened after a crash at any moment.
   */
  readonly keepsIdentity?: boolean;
}

/**
 * A VHDX opened to be written in place. Payload goes to its place at once; entries of the block allocation table and bits of
 * sector bitmaps stay in memory until `flush`, which makes the payload durable before it writes them. So a crash at any
 * moment loses at most what was never flushed, and no entry ever points at bytes that are not there.
 */
export class WritableVhdx extends VhdxDisk implements WritableDisk {
  readonly #file: RandomAccessFile;
  readonly #image: VhdxImage;
  readonly #headers: HeaderWriter;
  readonly #keepsIdentity: boolean;
  #changed: boolean;
  #queue: Promise<unknown> = Promise.resolve();
  #failure: unknown;
  #disposed = false;

  /** `file` is what `layers[0]` was read from, opened for reading and writing. Its log is empty. */
  constructor(file: RandomAccessFile, layers: readonly VhdxImage[], { isNew = false, keepsIdentity = false }: WritingOptions = {}) {
    super(layers);
    this.#file = file;
    this.#image = layers[0]!;
    this.#headers = new HeaderWriter(file, this.#image.header, this.#image.headerCopy);
    this.#changed = isNew;
    this.#keepsIdentity = keepsIdentity;
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    checkDiskRange(this.#file.path, { offset, length: bytes.length }, this.sizeBytes);
    await this.#inTurn(() =>
      this.#eachBlock({ offset, length: bytes.length }, (block, part) =>
        this.#writeInBlock(block, part.offset, bytes.subarray(part.offset - offset, part.offset - offset + part.length)),
      ),
    );
  }

  async writeZeros(range: ByteRange): Promise<void> {
    checkDiskRange(this.#file.path, range, this.sizeBytes);
    await this.#inTurn(() => this.#eachBlock(range, (block, part) => this.#zeroInBlock(block, part)));
  }

  async allocate(ranges: readonly ByteRange[]): Promise<void> {
    for (const range of ranges) checkDiskRange(this.#file.path, range, this.sizeBytes);
    if (this.#image.metadata.parent) throw new Error(`${this.#file.path}: room is not made in a differencing disk`);
    await this.#inTurn(async () => {
      // Others will write there without telling us, also where there is room already.
      if (ranges.some(({ length }) => length > 0)) await this.#beforeChange();
      for (const range of ranges) {
        await this.#eachBlock(range, async (block) => {
          const { state } = await this.#image.blocks.payload(block);
          if (state !== BlockState.fullyPresent) await this.#newPayload(block, BlockState.fullyPresent);
        });
      }
    });
  }

  async flush(): Promise<void> {
    await this.#inTurn(() => this.#flush());
  }

  /** Gives the image new GUIDs: what was written under `keepsIdentity` is complete. */
  async changeIdentity(): Promise<void> {
    await this.#inTurn(async () => {
      await this.#flush();
      await this.#headers.update({ fileWriteGuid: randomUUID(), dataWriteGuid: randomUUID() });
    });
  }

  /** Flushes and closes. The file is closed also when the flush fails, or one failed before. */
  override async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    try {
      if (!this.#failure) await this.flush();
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

  async #eachBlock(range: ByteRange, run: (block: number, part: ByteRange) => Promise<void>): Promise<void> {
    const { blockSize } = this.#image.layout;
    const end = range.offset + range.length;
    for (let at = range.offset; at < end; ) {
      const block = Math.floor(at / blockSize);
      const length = Math.min(end, (block + 1) * blockSize) - at;
      await run(block, { offset: at, length });
      at += length;
      if (this.#image.pages.dirtyPages >= MAX_DIRTY_PAGES) await this.#flush();
    }
  }

  /** The identity changes before the first byte does, so that nobody takes a changed disk for the former one (MS-VHDX 2.2.2). */
  async #beforeChange(): Promise<void> {
    if (this.#changed) return;
    await this.#headers.update({ fileWriteGuid: randomUUID(), ...(this.#keepsIdentity ? {} : { dataWriteGuid: randomUUID() }) });
    this.#changed = true;
  }

  async #writeInBlock(block: number, offset: number, bytes: Uint8Array): Promise<void> {
    await this.#beforeChange();
    const { blockSize } = this.#image.layout;
    const entry = await this.#image.blocks.payload(block);
    const within = offset - block * blockSize;
    const needsBitmap =
      this.#image.metadata.parent && (entry.state === BlockState.notPresent || entry.state === BlockState.partiallyPresent);
    if (needsBitmap) await this.#writeSectors(block, entry, offset, bytes);
    else {
      const { position } = entry.state === BlockState.fullyPresent ? entry : await this.#newPayload(block, BlockState.fullyPresent);
      await this.#file.write(position + within, bytes);
    }
  }

  async #zeroInBlock(block: number, part: ByteRange): Promise<void> {
    const { state } = await this.#image.blocks.payload(block);
    const isPresent = state === BlockState.fullyPresent || state === BlockState.partiallyPresent;
    const showsParent = state === BlockState.notPresent && this.#image.metadata.parent !== undefined;
    if (!isPresent && !showsParent) return;
    if (showsParent && part.length === this.#bytesIn(block)) {
      await this.#beforeChange();
      await this.#image.blocks.setPayload(block, { state: BlockState.zero, position: 0 });
      return;
    }
    const zeros = new Uint8Array(Math.min(ZEROS_AT_ONCE, part.length));
    for (let done = 0; done < part.length; done += zeros.length) {
      await this.#writeInBlock(block, part.offset + done, zeros.subarray(0, Math.min(zeros.length, part.length - done)));
    }
  }

  /** Writes sectors of a block of which the parent may show the others. */
  async #writeSectors(block: number, entry: BlockEntry, offset: number, bytes: Uint8Array): Promise<void> {
    const { blockSize, sectorSize } = this.#image.layout;
    const whole = await this.#wholeSectors(offset, bytes);
    const within = whole.offset - block * blockSize;
    if (whole.bytes.length === this.#bytesIn(block)) {
      const { position } = entry.state === BlockState.partiallyPresent ? entry : await this.#newPayload(block, BlockState.fullyPresent);
      await this.#file.write(position, whole.bytes);
      await this.#image.blocks.setPayload(block, { state: BlockState.fullyPresent, position });
      return;
    }
    const bitmap = (await this.#image.blocks.bitmapPosition(block)) ?? (await this.#newBitmap(block));
    const isNew = entry.state === BlockState.notPresent;
    const { position } = isNew ? await this.#newPayload(block, BlockState.partiallyPresent) : entry;
    await this.#file.write(position + within, whole.bytes);
    const slice = bitmapSliceOf(block, this.#image.layout);
    const page = await this.#image.pages.load(bitmap + slice.offset);
    const start = bitmap + slice.offset - page.position;
    const bits = page.bytes.subarray(start, start + slice.length);
    // What the bitmap says of a block that was not present means nothing.
    if (isNew) bits.fill(0);
    setSectors(bits, within / sectorSize, (within + whole.bytes.length) / sectorSize);
    this.#image.pages.markDirty(page, bitmap + slice.offset, slice.length);
  }

  /** Bytes grown to whole sectors by what the disk shows around them. */
  async #wholeSectors(offset: number, bytes: Uint8Array): Promise<{ readonly offset: number; readonly bytes: Uint8Array }> {
    const { sectorSize } = this.#image.layout;
    const start = offset - (offset % sectorSize);
    const end = roundUp(offset + bytes.length, sectorSize);
    if (start === offset && end === offset + bytes.length) return { offset, bytes };
    const whole = new Uint8Array(end - start);
    await this.read(start, whole.subarray(0, sectorSize));
    await this.read(end - sectorSize, whole.subarray(whole.length - sectorSize));
    whole.set(bytes, offset - start);
    return { offset: start, bytes: whole };
  }

  /** Gives a block room at the end of the file, where all bytes are zero. */
  async #newPayload(block: number, state: number): Promise<BlockEntry> {
    await this.#beforeChange();
    const entry = { state, position: await this.#grow(this.#image.layout.blockSize) };
    await this.#image.blocks.setPayload(block, entry);
    return entry;
  }

  /**
   * Makes the sector bitmap of a block's chunk. It is durable before any block refers to it: a bitmap that no block uses does
   * no harm, but a partially present block without one would be damage.
   */
  async #newBitmap(block: number): Promise<number> {
    const position = await this.#grow(BITMAP_BLOCK_SIZE);
    await this.#file.sync();
    await this.#image.blocks.setBitmap(block, position);
    await this.#flush();
    return position;
  }

  async #grow(length: number): Promise<number> {
    const position = roundUp(this.#file.sizeBytes, MIB);
    await this.#file.truncate(position + length);
    return position;
  }

  /** After a failed flush nobody knows what is on the disk, and a second one would not tell: the failure is final. */
  async #flush(): Promise<void> {
    if (this.#failure) throw this.#failure;
    try {
      await this.#flushInOrder();
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  /** First the payload, then the bitmaps, then the table: each step is durable before the next one refers to it. */
  async #flushInOrder(): Promise<void> {
    await this.#file.sync();
    const { offset, length } = this.#image.regions.bat;
    const isTable = (position: number): boolean => position >= offset && position < offset + length;
    const write = (position: number, bytes: Uint8Array): Promise<void> => this.#file.write(position, bytes);
    if ((await this.#image.pages.writeDirty((position) => !isTable(position), write)) > 0) await this.#file.sync();
    if ((await this.#image.pages.writeDirty(isTable, write)) > 0) await this.#file.sync();
  }

  /** Bytes of the virtual disk in a block: fewer in the last one. */
  #bytesIn(block: number): number {
    const { blockSize, virtualSize } = this.#image.layout;
    return Math.min(blockSize, virtualSize - block * blockSize);
  }
}
