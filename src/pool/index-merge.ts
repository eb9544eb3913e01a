import { DIGEST_BYTES } from './block.ts';
import { compareDigests, ENTRY_BYTES, type IndexEntry, writeIndexEntry } from './index-format.ts';
import type { IndexSegment } from './index-segment.ts';
import type { SegmentContent } from './index-writer.ts';
import { PACK_KEY_BYTES, packEpoch, packName } from './pack-format.ts';

const PIECE_ENTRIES = 2048;

/** One segment's content out of several: in order, without packs that are gone, and without entries that stand in two of them. */
export function mergedContent(segments: readonly IndexSegment[], gone: ReadonlySet<string> = new Set()): SegmentContent {
  const packKeys = unionOfPacks(segments).filter((packKey) => !gone.has(packName(packKey)));
  const numbers = new Map(packKeys.map((key, index) => [key.toString('latin1'), index]));
  const expectedEntries = segments.reduce((sum, { summary }) => sum + summary.entries, 0);
  return { expectedEntries, packKeys, entries: mergedEntries(segments, numbers) };
}

/** The packs of all segments, the newest epoch first: so their numbers order the copies of a block. */
function unionOfPacks(segments: readonly IndexSegment[]): Buffer[] {
  const union = new Map<string, Buffer>();
  for (const segment of segments) {
    const { packKeys } = segment.summary;
    for (let number = 0; number * PACK_KEY_BYTES < packKeys.length; number += 1) {
      const key = Buffer.from(segment.packKey(number));
      union.set(key.toString('latin1'), key);
    }
  }
  return [...union.values()].sort((a, b) => packEpoch(b) - packEpoch(a) || Buffer.compare(a, b));
}

async function* mergedEntries(segments: readonly IndexSegment[], numbers: ReadonlyMap<string, number>): AsyncGenerator<Buffer> {
  const cursors = (await Promise.all(segments.map((segment) => SegmentCursor.open(segment, numbers)))).filter((cursor) => !cursor.done);
  const piece = Buffer.alloc(PIECE_ENTRIES * ENTRY_BYTES);
  const last = Buffer.alloc(ENTRY_BYTES);
  let filled = 0;
  let begun = false;
  while (cursors.length > 0) {
    const first = cursors.reduce((least, cursor) => (cursor.compare(least) < 0 ? cursor : least));
    const { packNumber, entry } = first;
    if (packNumber !== undefined) {
      const at = filled * ENTRY_BYTES;
      writeIndexEntry(piece, at, first.digest, { ...entry, packNumber });
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
  /** In the merged segment; undefined for a pack that is gone. */
  packNumber: number | undefined;
  readonly #pages: AsyncGenerator<{ readonly position: number; readonly content: Buffer }>;
  readonly #numbers: ReadonlyMap<string, number>;
  #content: Buffer = Buffer.alloc(0);
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

  get digest(): Buffer {
    return this.#content.subarray(this.#at, this.#at + DIGEST_BYTES);
  }

  compare(other: SegmentCursor): number {
    return (
      compareDigests(this.#content, this.#at, other.#content, other.#at) ||
      (this.packNumber ?? -1) - (other.packNumber ?? -1) ||
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
    this.#at = 0;
    this.#load();
  }

  #load(): void {
    this.entry = this.segment.entryAt(this.#content, this.#at);
    const packKey = this.segment.packKey(this.entry.packNumber);
    this.packNumber = this.#numbers.get(Buffer.from(packKey).toString('latin1'));
  }
}
