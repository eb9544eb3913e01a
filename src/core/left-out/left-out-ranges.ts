import { type ByteRange, normalizeRanges } from '../../lib/byte-range.ts';

/** More ranges than this are not kept with a disk: the shortest are given up, and copied. */
export const MOST_RANGES = 4096;

/** Ranges of one disk that are to be left out, as they are found. Memory and the size of a manifest are bounded by `MOST_RANGES`. */
export class LeftOutRanges {
  #ranges: ByteRange[] = [];
  readonly #unit: number;
  #open: { offset: number; length: number } | undefined;

  /** `unit`: bytes of a pool block. */
  constructor(unit: number) {
    this.#unit = unit;
  }

  /** Adds a range as it is. */
  add(range: ByteRange): void {
    if (range.length > 0) this.#keep(range);
  }

  /** Adds of a range, and of those before and after it that adjoin it, the whole blocks. */
  addWholeBlocks({ offset, length }: ByteRange): void {
    if (this.#open && this.#open.offset + this.#open.length === offset) this.#open.length += length;
    else {
      this.#closeOpen();
      this.#open = { offset, length };
    }
  }

  /** What was found: normalized, at most `MOST_RANGES`. */
  finish(): ByteRange[] {
    this.#closeOpen();
    this.#ranges = longestRanges(normalizeRanges(this.#ranges));
    return this.#ranges;
  }

  #closeOpen(): void {
    if (!this.#open) return;
    const { offset, length } = this.#open;
    const start = Math.ceil(offset / this.#unit) * this.#unit;
    const end = Math.floor((offset + length) / this.#unit) * this.#unit;
    this.#open = undefined;
    if (end > start) this.#keep({ offset: start, length: end - start });
  }

  #keep(range: ByteRange): void {
    this.#ranges.push(range);
    if (this.#ranges.length >= 4 * MOST_RANGES) this.#ranges = longestRanges(normalizeRanges(this.#ranges));
  }
}

/** Bytes of `ranges` that lie in `others`; both normalized. */
export function bytesWithin(ranges: readonly ByteRange[], others: readonly ByteRange[]): number {
  let sum = 0;
  let next = 0;
  for (const { offset, length } of ranges) {
    while (next < others.length && others[next]!.offset + others[next]!.length <= offset) next += 1;
    for (let i = next; i < others.length && others[i]!.offset < offset + length; i += 1) {
      sum += Math.min(offset + length, others[i]!.offset + others[i]!.length) - Math.max(offset, others[i]!.offset);
    }
  }
  return sum;
}

/** Of normalized ranges the `MOST_RANGES` longest, ascending. */
export function longestRanges(ranges: readonly ByteRange[]): ByteRange[] {
  if (ranges.length <= MOST_RANGES) return [...ranges];
  return ranges
    .toSorted((a, b) => b.length - a.length || a.offset - b.offset)
    .slice(0, MOST_RANGES)
    .sort((a, b) => a.offset - b.offset);
}
