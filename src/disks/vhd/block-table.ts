import type { ByteRange } from '../../lib/byte-range.ts';
import type { ByteSource } from '../../lib/byte-source.ts';
import { VhdBlockError } from './vhd-errors.ts';
import { HEADER_SIZE, type VhdHeader } from './vhd-header.ts';

const ABSENT = 0xffff_ffff;
/** Entries that are written together: 512 bytes of the file. */
const ENTRIES_AT_ONCE = 128;
/** Bytes of sector bitmaps that are kept when no one needs them. */
const CACHED_BYTES = 4 * 2 ** 20;

/**
 * The block allocation table, whole, and the sector bitmaps, on demand. A block is a bitmap, a bit for each sector with the highest
 * bit first, rounded up to whole sectors, and then its payload (VHD specification, Block Allocation Table and Data Blocks).
 */
export class BlockTable {
  readonly blockSize: number;
  readonly bitmapSize: number;
  readonly #path: string;
  readonly #file: ByteSource;
  readonly #tableOffset: number;
  readonly #entries: Uint32Array;
  readonly #structures: readonly ByteRange[];
  readonly #bitmaps = new Map<number, Uint8Array>();
  readonly #changedBitmaps = new Set<number>();
  readonly #changedRows = new Set<number>();

  private constructor(path: string, file: ByteSource, header: VhdHeader, entries: Uint32Array) {
    this.#structures = [
      { offset: 0, length: 512 },
      { offset: header.position, length: HEADER_SIZE },
      { offset: header.tableOffset, length: header.blocks * 4 },
    ];
    this.#path = path;
    this.#file = file;
    this.#tableOffset = header.tableOffset;
    this.#entries = entries;
    this.blockSize = header.blockSize;
    this.bitmapSize = bitmapSizeOf(header.blockSize);
  }

  static async read(path: string, file: ByteSource, header: VhdHeader): Promise<BlockTable> {
    const table = Buffer.alloc(header.blocks * 4);
    await file.read(header.tableOffset, table);
    table.swap32();
    return new BlockTable(path, file, header, new Uint32Array(table.buffer, table.byteOffset, header.blocks));
  }

  /** Where the payload of a block lies in the file, checked; `undefined`: the block is absent. */
  payload(block: number): number | undefined {
    const entry = this.#entries[block]!;
    if (entry === ABSENT) return undefined;
    const position = entry * 512 + this.bitmapSize;
    if (this.blockSize > this.#file.sizeBytes - position) throw new VhdBlockError(this.#path, block, 'lies past the end of the file');
    for (const { offset, length } of this.#structures) {
      const overlaps = entry * 512 < offset + length && offset < position + this.blockSize;
      if (overlaps) throw new VhdBlockError(this.#path, block, 'lies over the structures of the image');
    }
    return position;
  }

  /** The bitmap of a block that is present. What is changed in it is to be told by `markChanged`. */
  async bitmap(block: number): Promise<Uint8Array> {
    const cached = this.#bitmaps.get(block);
    if (cached) return cached;
    const bitmap = new Uint8Array(this.bitmapSize);
    await this.#file.read(this.payload(block)! - this.bitmapSize, bitmap);
    // Another caller may have loaded it meanwhile, and changed it.
    const meanwhile = this.#bitmaps.get(block);
    if (meanwhile) return meanwhile;
    this.#keep(block, bitmap);
    return bitmap;
  }

  /** Gives a block its place: `position` of its bitmap, in the file. */
  place(block: number, position: number, bitmap: Uint8Array): void {
    this.#entries[block] = position / 512;
    this.#changedRows.add(Math.floor(block / ENTRIES_AT_ONCE));
    this.#keep(block, bitmap);
  }

  markChanged(block: number): void {
    this.#changedBitmaps.add(block);
  }

  get changes(): number {
    return this.#changedBitmaps.size + this.#changedRows.size;
  }

  async writeBitmaps(write: (position: number, bytes: Uint8Array) => Promise<void>): Promise<void> {
    for (const block of this.#changedBitmaps) await write(this.payload(block)! - this.bitmapSize, this.#bitmaps.get(block)!);
    this.#changedBitmaps.clear();
  }

  async writeEntries(write: (position: number, bytes: Uint8Array) => Promise<void>): Promise<void> {
    for (const row of this.#changedRows) {
      const entries = this.#entries.slice(row * ENTRIES_AT_ONCE, (row + 1) * ENTRIES_AT_ONCE);
      await write(this.#tableOffset + row * ENTRIES_AT_ONCE * 4, Buffer.from(entries.buffer).swap32());
    }
    this.#changedRows.clear();
  }

  #keep(block: number, bitmap: Uint8Array): void {
    this.#bitmaps.set(block, bitmap);
    if (this.#bitmaps.size * this.bitmapSize <= CACHED_BYTES) return;
    for (const old of this.#bitmaps.keys()) {
      if (old === block || this.#changedBitmaps.has(old)) continue;
      this.#bitmaps.delete(old);
      return;
    }
  }
}

/** Bytes of the bitmap before a block's payload. */
export function bitmapSizeOf(blockSize: number): number {
  return Math.ceil(blockSize / 512 / 8 / 512) * 512;
}

/** Runs of sectors in `[from, to)` whose bits are alike. */
export function* sectorRuns(bitmap: Uint8Array, from: number, to: number): Generator<{ from: number; to: number; isSet: boolean }> {
  for (let at = from; at < to; ) {
    const start = at;
    const isSet = bitAt(bitmap, at);
    const whole = isSet ? 0xff : 0;
    while (at < to) {
      if (at % 8 === 0 && to - at >= 8 && bitmap[at >> 3] === whole) at += 8;
      else if (bitAt(bitmap, at) === isSet) at++;
      else break;
    }
    yield { from: start, to: at, isSet };
  }
}

/** Sets the bits of sectors `[from, to)`. */
export function setSectors(bitmap: Uint8Array, from: number, to: number): void {
  for (let at = from; at < to; at++) bitmap[at >> 3]! |= 0x80 >> (at & 7);
}

const bitAt = (bitmap: Uint8Array, sector: number) => (bitmap[sector >> 3]! & (0x80 >> (sector & 7))) !== 0;
