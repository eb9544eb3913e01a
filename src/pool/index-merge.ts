import { DIGEST_BYTES } from './block.ts';
import { compareDigests, ENTRY_BYTES, type IndexEntry, writeIndexEntry } from './index-format.ts';
import type { IndexSegment } from './index-segment.ts';
import type { SegmentContent } from './index-writer.ts';
import { packEpoch } from './pack-format.ts';

/** Which entries a merge keeps; `position` is the entry's number in its segment. */
export type KeepEntry = (segment: IndexSegment, position: number, packKey: Uint8Array, entry: IndexEntry) => boolean;

const PIECE_ENTRIES = 2048;

/** One segment's content out of several: in order, without what is not kept, and without entries that stand in two of them. */
export function mergedContent(segments: readonly IndexSegment[], keep: KeepEntry = () => true): SegmentContent {
  const packKeys = unionOfPacks(segments);
  const numbers = new Map(packKeys.map((key, index) => [key.toString('latin1'), index]));
  const expectedEntries = segments.reduce((sum, { summary }) => sum + summary.entries, 0);
  return { expectedEntries, packKeys, entries: mergedEntries(segments, numbers, keep) };
}

/** The packs of all segments, the newest epoch first: so their numbers order the copies of a block. */
function unionOfPacks(segments: readonly IndexSegment[]): Buffer[] {
  const union = new Map<string, Buffer>();
  for (const segment of segments) {
    const { packKeys } = segment.summary;
    for (let number = 0; number * 12 < packKeys.length; number += 1) {
      const key = Buffer.from(segment.packKey(number));
      union.set(key.toString('latin1'), key);
    }
  }
  return [...union.values()].sort((a, b) => packEpoch(b) - packEpoch(a) || Buffer.compare(a, b));
}

async function* mergedEntries(
  segments: readonly IndexSegment[],
  numbers: ReadonlyMap<string, number>,
  keep: KeepEntry,
): AsyncGenerator<Buffer> {
  const cursors = (await Promise.all(segments.map((segment) => SegmentCursor.open(segment, numbers)))).filter((cursor) => !cursor.done);
  const piece = Buffer.alloc(PIECE_ENTRIES * ENTRY_BYTES);
  const last = Buffer.alloc(ENTRY_BYTES);
  let filled = 0;
  let begun = false;
  while (cursors.length > 0) {
    const first = cursors.reduce((least, cursor) => (cursor.compare(least) < 0 ? cursor : least));
    const { position, packKey, entry } = first;
    if (keep(first.segment, position, packKey, entry)) {
      const at = filled * ENTRY_BYTES;
      writeIndexEntry(piece, at, first.digest, { ...entry, packNumber: first.packNumber });
      const repeated = begun && piece.compare(last, 0, ENTRY_BYTES, at, at + ENTRY_BYTES) === 0;
      if (!repeated) {
        piece.copy(last, 0, at, at + ENTRY_BYTES);
        begun = true;
        filled += 1;
      }
    }
    // Only a new page needs waiting for: a merge of millions of entries must not wait for each.
    if (!first.step()) {
      await first.turnPage();
      if (first.done) cursors.splice(cursors.indexOf(first), 1);
    }
    if (filled === PIECE_ENTRIES) {
      yield piece;
      filled = 0;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled * ENTRY_BYTES);
}

/** Walks the entries of a segment, with the pack numbers of the merged one. */
class SegmentCursor {
  readonly segment: IndexSegment;
  done = false;
  entry!: IndexEntry;
  packNumber = 0;
  readonly #pages: AsyncGenerator<{ readonly position: number; readonly content: Buffer }>;
  readonly #numbers: ReadonlyMap<string, number>;
  #content: Buffer = Buffer.alloc(0);
  #first = 0;
  #at = 0;

  private constructor(segment: IndexSegment, numbers: ReadonlyMap<string, number>) {
    this.segment = segment;
    this.#pages = segment.scan();
    this.#numbers = numbers;
  }

  static async open(segment: IndexSegment, numbers: ReadonlyMap<string, number>): Promise<SegmentCursor> {
    const cursor = new SegmentCursor(segment, numbers);
    await cursor.turnPage();
    return cursor;
  }

  get position(): number {
    return this.#first + this.#at / ENTRY_BYTES;
  }

  get digest(): Buffer {
    return this.#content.subarray(this.#at, this.#at + DIGEST_BYTES);
  }

  get packKey(): Uint8Array {
    return this.segment.packKey(this.entry.packNumber);
  }

  compare(other: SegmentCursor): number {
    return (
      compareDigests(this.#content, this.#at, other.#content, other.#at) ||
      this.packNumber - other.packNumber ||
      this.entry.ordinal - other.entry.ordinal
    );
  }

  /** On to the next entry of the page; false at its end. */
  step(): boolean {
    this.#at += ENTRY_BYTES;
    if (this.#at >= this.#content.length) return false;
    this.#load();
    return true;
  }

  async turnPage(): Promise<void> {
    const { value, done } = await this.#pages.next();
    if (done) {
      this.done = true;
      return;
    }
    this.#content = value.content;
    this.#first = value.position;
    this.#at = 0;
    this.#load();
  }

  #load(): void {
    this.entry = this.segment.entryAt(this.#content, this.#at);
    this.packNumber = this.#numbers.get(Buffer.from(this.packKey).toString('latin1'))!;
  }
}
