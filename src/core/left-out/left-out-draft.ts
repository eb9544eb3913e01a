import { type ByteRange, normalizeRanges } from '../../lib/byte-range.ts';
import type { LeftOutNote } from '../../model/manifest.ts';
import { bytesWithin, longestRanges } from './left-out-ranges.ts';

/** What is not kept of a captured disk. */
export interface LeftOut {
  /** Normalized. */
  readonly ranges: readonly ByteRange[];
  readonly notes: readonly LeftOutNote[];
}

/** What was found of a volume, or of a file on it, on one disk. Ranges are of the disk, normalized. */
export type LeftOutPart = { readonly volume: string; readonly what?: string } & (
  | { readonly ranges: readonly ByteRange[] }
  | { readonly kept: string }
);

/** A disk has at most so many notes, and a reason so many characters: both come from the guest. */
const MOST_NOTES = 256;
const LONGEST_REASON = 300;

/** What is left out of one disk, while it is being found. */
export class LeftOutDraft {
  #parts: LeftOutPart[] = [];

  take(part: LeftOutPart): void {
    this.#parts.push(part);
  }

  /** Forgets all that was found: the whole disk is kept, for this reason. */
  takeNothing(reason: LeftOutPart): void {
    this.#parts = [reason];
  }

  finish(): LeftOut {
    const ranges = longestRanges(normalizeRanges(this.#parts.flatMap((part) => ('ranges' in part ? part.ranges : []))));
    return { ranges, notes: this.#parts.slice(0, MOST_NOTES).flatMap((part) => noteOf(part, ranges)) };
  }
}

function noteOf(part: LeftOutPart, ranges: readonly ByteRange[]): LeftOutNote[] {
  const { volume, what } = part;
  const about = { volume, ...(what === undefined ? {} : { what }) };
  if ('kept' in part) return [{ ...about, kept: part.kept.slice(0, LONGEST_REASON) }];
  const bytes = bytesWithin(part.ranges, ranges);
  return bytes > 0 ? [{ ...about, bytes }] : [];
}
