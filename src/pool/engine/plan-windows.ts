import type { DiskSource } from '../../disks/disk-source.ts';
import type { ByteRange } from '../../lib/byte-range.ts';
import { DIGEST_BYTES } from '../block.ts';
import type { DiskMapReader } from './disk-map-reader.ts';
import { BlockState, CHUNK_BYTES, Chunk, type DiskWindow, ExtentRow, OPAQUE, WINDOW_PAGES, type WindowMemory } from './disk-window.ts';
import { type DataPiece, ExtentCursor } from './extent-cursor.ts';
import { leafPages } from './leaf-pages.ts';
import { blockLength, MAP_FAN_OUT, MAP_PAGE_BYTES, type MapGeometry } from './map-geometry.ts';
import { digestAt, isZeroDigest } from './map-page.ts';

/** A window ends with the page that brings it past this many extents. */
const ENOUGH_EXTENTS = 65_536;

/** What is to be looked at: whole blocks (but for one that the disk's end cuts). `sampled`: only to cross-check the tracking. */
export interface PlannedRange extends ByteRange {
  readonly sampled: boolean;
}

export interface PlannedWindow extends DiskWindow {
  /** Leaf pages of the map by number; the n-th has the slots from n × MAP_FAN_OUT on. */
  readonly pages: readonly number[];
  /** Bytes that workers will read, and bytes of disk that needed no reading since the window before. */
  readonly scannedBytes: number;
  readonly sampledBytes: number;
  readonly emptyBytes: number;
  /** Sampled blocks that the map has and the source does not. */
  readonly sampleMismatches: number;
}

export interface PlanRequest {
  readonly source: DiskSource;
  readonly geometry: MapGeometry;
  /** The map to compare with. */
  readonly base: DiskMapReader | undefined;
  /** Ascending and apart. */
  readonly ranges: readonly PlannedRange[];
  /** Normalized. */
  readonly leftOut: readonly ByteRange[];
}

/**
 * Cuts the work on a disk into windows. Blocks without data are settled here: nothing is read for them. Pages on which there is
 * nothing to do are passed by. Windows hold ascending pages; each is planned into memory that the caller gives.
 */
export class WindowPlanner {
  readonly #request: PlanRequest;
  readonly #cursor: ExtentCursor;
  readonly #pageBytes: number;
  readonly #blocksPerChunk: number;
  #range = 0;
  #offset = 0;

  constructor(request: PlanRequest) {
    this.#request = request;
    this.#cursor = new ExtentCursor(request.source, request.leftOut);
    this.#pageBytes = request.geometry.blockSize * MAP_FAN_OUT;
    this.#blocksPerChunk = Math.max(1, Math.floor(CHUNK_BYTES / request.geometry.blockSize));
    this.#offset = request.ranges[0]?.offset ?? 0;
  }

  /** Whether all is planned. */
  get done(): boolean {
    return this.#range >= this.#request.ranges.length;
  }

  /** The next window; undefined after the last. A last window may have neither pages nor chunks, only counts. */
  async next(memory: WindowMemory): Promise<PlannedWindow | undefined> {
    if (this.done) return undefined;
    const draft = new Draft(memory, this.#request.geometry, this.#blocksPerChunk);
    while (!this.done && !draft.full) await this.#addPage(draft);
    return draft.finish();
  }

  async #addPage(draft: Draft): Promise<void> {
    if (await this.#passZeros(draft)) return;
    const index = Math.floor(this.#offset / this.#pageBytes);
    const known = await this.#request.base?.page(1, index);
    draft.beginPage(index, known);
    const end = (index + 1) * this.#pageBytes;
    for (;;) {
      const range = this.#request.ranges[this.#range];
      if (!range || this.#offset >= end) break;
      const until = range.offset + range.length;
      const part = { offset: this.#offset, length: Math.min(until, end) - this.#offset };
      draft.addPart(part, range.sampled, await this.#cursor.take(part, until));
      this.#advanceTo(part.offset + part.length);
    }
    draft.endPage();
  }

  /** Passes whole pages of zeros that the map has as zeros too; a thin disk of terabytes has millions. */
  async #passZeros(draft: Draft): Promise<boolean> {
    const range = this.#request.ranges[this.#range]!;
    const until = range.offset + range.length;
    const zeros = await this.#cursor.zerosUntil(this.#offset, until);
    if (zeros < until && Math.floor(zeros / this.#pageBytes) * this.#pageBytes <= this.#offset) return false;
    const known = await this.#knownZerosUntil(this.#offset, zeros);
    const end = known === until ? until : Math.floor(known / this.#pageBytes) * this.#pageBytes;
    if (end <= this.#offset) return false;
    draft.emptyBytes += range.sampled ? 0 : end - this.#offset;
    this.#advanceTo(end);
    return true;
  }

  /** The end, at most `until`, of the zeros that the map has from `offset` on; goes by whole pages. */
  async #knownZerosUntil(offset: number, until: number): Promise<number> {
    const { base, geometry } = this.#request;
    if (!base) return until;
    const firstBlock = Math.floor(offset / geometry.blockSize);
    for await (const { index } of leafPages(base, firstBlock, Math.min(base.geometry.blocks, Math.ceil(until / geometry.blockSize)))) {
      return Math.max(offset, Math.min(until, index * this.#pageBytes));
    }
    return until;
  }

  #advanceTo(offset: number): void {
    this.#offset = offset;
    const range = this.#request.ranges[this.#range]!;
    if (offset < range.offset + range.length) return;
    this.#range += 1;
    this.#offset = this.#request.ranges[this.#range]?.offset ?? offset;
  }
}

/** A window while it is being filled. */
class Draft {
  readonly #memory: WindowMemory;
  readonly #geometry: MapGeometry;
  readonly #blocksPerChunk: number;
  readonly #pages: number[] = [];
  #page = 0;
  #chunks = 0;
  #extents = 0;
  /** The number of a block that would continue the chunk last begun. */
  #continues = -1;
  #chunksBefore = 0;
  #pageDiffers = false;
  #opaque = false;
  #scannedBytes = 0;
  #sampledBytes = 0;
  #sampleMismatches = 0;
  emptyBytes = 0;

  constructor(memory: WindowMemory, geometry: MapGeometry, blocksPerChunk: number) {
    this.#memory = memory;
    this.#geometry = geometry;
    this.#blocksPerChunk = blocksPerChunk;
  }

  get full(): boolean {
    return this.#pages.length >= WINDOW_PAGES || this.#extents >= ENOUGH_EXTENTS;
  }

  beginPage(index: number, known: Uint8Array | undefined): void {
    const slot = this.#pages.length * MAP_FAN_OUT;
    const at = slot * DIGEST_BYTES;
    if (known) this.#memory.known.set(known, at);
    else this.#memory.known.fill(0, at, at + MAP_PAGE_BYTES);
    this.#memory.found.fill(0, at, at + MAP_PAGE_BYTES);
    this.#memory.states.fill(BlockState.untouched, slot, slot + MAP_FAN_OUT);
    this.#page = index;
    this.#chunksBefore = this.#chunks;
    this.#pageDiffers = false;
    this.#continues = -1;
  }

  addPart({ offset, length }: ByteRange, sampled: boolean, pieces: readonly DataPiece[]): void {
    const { blockSize } = this.#geometry;
    const end = offset + length;
    let next = 0;
    this.#continues = -1;
    for (let block = offset / blockSize; block * blockSize < end; block += 1) {
      const from = block * blockSize;
      const to = from + blockLength(this.#geometry, block);
      if ((pieces[next]?.offset ?? end) >= to) this.#addEmptyBlock(block, sampled);
      else this.#addBlock(block, sampled);
      for (; next < pieces.length && pieces[next]!.offset < to; next += 1) {
        this.#addPiece(pieces[next]!, from, to, sampled);
        if (pieces[next]!.offset + pieces[next]!.length > to) break;
      }
    }
  }

  endPage(): void {
    if (this.#pageDiffers || this.#chunks > this.#chunksBefore) this.#pages.push(this.#page);
  }

  finish(): PlannedWindow {
    Atomics.store(this.#memory.cursor, 0, 0);
    const { chunks, extents, cursor, known, found, states } = this.#memory;
    return {
      ...{ chunks, extents, cursor, known, found, states, chunkCount: this.#chunks, opaque: this.#opaque, pages: this.#pages },
      ...{ scannedBytes: this.#scannedBytes, sampledBytes: this.#sampledBytes },
      ...{ emptyBytes: this.emptyBytes, sampleMismatches: this.#sampleMismatches },
    };
  }

  #slotOf(block: number): number {
    return this.#pages.length * MAP_FAN_OUT + (block % MAP_FAN_OUT);
  }

  #addEmptyBlock(block: number, sampled: boolean): void {
    this.emptyBytes += sampled ? 0 : blockLength(this.#geometry, block);
    const slot = this.#slotOf(block);
    if (isZeroDigest(digestAt(this.#memory.known, slot))) return;
    if (sampled) this.#sampleMismatches += 1;
    else {
      this.#memory.states[slot] = BlockState.differs;
      this.#pageDiffers = true;
    }
  }

  #addBlock(block: number, sampled: boolean): void {
    const { chunks } = this.#memory;
    const length = blockLength(this.#geometry, block);
    const last = (this.#chunks - 1) * Chunk.fields;
    if (this.#continues === block && chunks[last + Chunk.blocks]! < this.#blocksPerChunk) {
      chunks[last + Chunk.blocks]! += 1;
      chunks[last + Chunk.length]! += length;
    } else {
      const row = this.#chunks * Chunk.fields;
      chunks[row + Chunk.slot] = this.#slotOf(block);
      chunks[row + Chunk.blocks] = 1;
      chunks[row + Chunk.offset] = block * this.#geometry.blockSize;
      chunks[row + Chunk.length] = length;
      chunks[row + Chunk.firstExtent] = this.#extents;
      chunks[row + Chunk.extents] = 0;
      chunks[row + Chunk.sampled] = sampled ? 1 : 0;
      this.#chunks += 1;
    }
    this.#continues = block + 1;
  }

  /** Adds what of a piece lies in the block from `from` to `to`, joined with the extent before where it continues it. */
  #addPiece(piece: DataPiece, from: number, to: number, sampled: boolean): void {
    const start = Math.max(piece.offset, from);
    const length = Math.min(piece.offset + piece.length, to) - start;
    const file = piece.file ?? OPAQUE;
    if (piece.file === undefined) this.#opaque = true;
    if (sampled) this.#sampledBytes += length;
    else this.#scannedBytes += length;
    const chunk = (this.#chunks - 1) * Chunk.fields;
    const { chunks } = this.#memory;
    const at = start - chunks[chunk + Chunk.offset]!;
    const position = piece.position + (start - piece.offset);
    if (chunks[chunk + Chunk.extents]! > 0) {
      const row = (this.#extents - 1) * ExtentRow.fields;
      const { extents } = this.#memory;
      const before = extents[row + ExtentRow.length]!;
      const joins = extents[row + ExtentRow.at]! + before === at && extents[row + ExtentRow.position]! + before === position;
      if (joins && extents[row + ExtentRow.file] === file) {
        extents[row + ExtentRow.length] = before + length;
        return;
      }
    }
    this.#memory.growExtents(this.#extents + 1);
    this.#memory.extents.set([at, length, file, position], this.#extents * ExtentRow.fields);
    this.#extents += 1;
    chunks[chunk + Chunk.extents]! += 1;
  }
}
