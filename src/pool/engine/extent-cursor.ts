import type { DiskSource, Extent } from '../../disks/disk-source.ts';
import type { ByteRange } from '../../lib/byte-range.ts';

const SMALLEST_STEP = 1024 * 1024;
const LARGEST_STEP = 64 * 1024 ** 3;
/** An answer with more extents than this halves the next question, one with fewer than a sixteenth doubles it. */
const WANTED_EXTENTS = 16_384;

/** A piece of a disk that has to be read. `file` is undefined where only the source itself can. */
export interface DataPiece extends ByteRange {
  readonly file: number | undefined;
  readonly position: number;
}

/** Walks the extents of a source forwards, asking for windows whose answers stay small, and leaves out what is not kept. */
export class ExtentCursor {
  readonly #source: DiskSource;
  readonly #leftOut: readonly ByteRange[];
  #nextLeftOut = 0;
  #step = 256 * 1024 * 1024;
  #extents: readonly Extent[] = [];
  #next = 0;
  #end = 0;

  /** `leftOut` is normalized. */
  constructor(source: DiskSource, leftOut: readonly ByteRange[]) {
    this.#source = source;
    this.#leftOut = leftOut;
  }

  /** The end of the zeros that begin at `offset`, at most `until`; `offset` itself where there are none. */
  async zerosUntil(offset: number, until: number): Promise<number> {
    let end = offset;
    while (end < until) {
      const extent = await this.#extentAt(end, until);
      if (extent.from !== 'zero') break;
      end = Math.min(until, extent.offset + extent.length);
    }
    return end;
  }

  /** Pieces to read of a range, ascending. Ranges come in ascending order; `until` is how far the caller will surely ask. */
  async take({ offset, length }: ByteRange, until: number): Promise<DataPiece[]> {
    const pieces: DataPiece[] = [];
    const end = offset + length;
    for (let at = offset; at < end; ) {
      const extent = await this.#extentAt(at, until);
      const stop = Math.min(end, extent.offset + extent.length);
      if (extent.from !== 'zero') this.#keep(extent, at, stop, pieces);
      at = stop;
    }
    return pieces;
  }

  #keep(extent: Extent, start: number, end: number, pieces: DataPiece[]): void {
    const leftOut = this.#leftOut;
    const file = extent.from === 'file' ? extent.file : undefined;
    const shift = extent.from === 'file' ? extent.position - extent.offset : 0;
    const push = (from: number, to: number) => {
      if (to > from) pieces.push({ offset: from, length: to - from, file, position: from + shift });
    };
    while (this.#nextLeftOut < leftOut.length && endOf(leftOut[this.#nextLeftOut]!) <= start) this.#nextLeftOut += 1;
    let at = start;
    for (let i = this.#nextLeftOut; i < leftOut.length && leftOut[i]!.offset < end; i += 1) {
      push(at, leftOut[i]!.offset);
      at = Math.max(at, endOf(leftOut[i]!));
    }
    push(at, end);
  }

  async #extentAt(offset: number, until: number): Promise<Extent> {
    if (offset >= this.#end || this.#extents.length === 0 || offset < this.#extents[0]!.offset) await this.#ask(offset, until);
    // Looking for the end of zeros may have gone further than what is asked for next.
    while (this.#next > 0 && endOf(this.#extents[this.#next - 1]!) > offset) this.#next -= 1;
    while (this.#next < this.#extents.length && endOf(this.#extents[this.#next]!) <= offset) this.#next += 1;
    const extent = this.#extents[this.#next];
    if (!extent) throw new Error(`a disk source has no extent for byte ${offset}`);
    return extent;
  }

  async #ask(offset: number, until: number): Promise<void> {
    const length = Math.min(this.#step, until - offset);
    this.#extents = await this.#source.extents({ offset, length });
    this.#next = 0;
    this.#end = offset + length;
    if (this.#extents.length > WANTED_EXTENTS) this.#step = Math.max(SMALLEST_STEP, this.#step / 2);
    else if (this.#extents.length < WANTED_EXTENTS / 16) this.#step = Math.min(LARGEST_STEP, this.#step * 2);
  }
}

function endOf(range: ByteRange): number {
  return range.offset + range.length;
}
