import { PACK_KEY_BYTES } from './pack-format.ts';

const ROW_BYTES = PACK_KEY_BYTES + 8;

/**
 * Blocks that a mark condemned: count of packs u32, then per pack, ascending by key, its key, its number of blocks u32 and where its
 * bitmap begins u32, then the bitmaps, one bit a block. The bytes are the stored form and serve as they are, from shared memory too.
 */
export class CondemnedBlocks {
  /** Condemns every block there is: what a list that cannot be read may do. */
  static readonly everything = new CondemnedBlocks(Uint8Array.of(0xff, 0xff, 0xff, 0xff));
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #packs: number;
  readonly #everything: boolean;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#packs = bytes.length < 4 ? 0 : this.#view.getUint32(0, true);
    this.#everything = this.#packs === 0xffff_ffff && bytes.length === 4;
    if (!this.#everything && 4 + this.#packs * ROW_BYTES > bytes.length) throw new RangeError('a list of condemned blocks is cut short');
  }

  has(packKey: Uint8Array, ordinal: number): boolean {
    if (this.#everything) return true;
    const row = this.#rowOf(packKey);
    if (row === undefined || ordinal >= this.#view.getUint32(row + PACK_KEY_BYTES, true)) return false;
    const at = this.#view.getUint32(row + PACK_KEY_BYTES + 4, true) + (ordinal >>> 3);
    return at < this.bytes.length && (this.bytes[at]! & (1 << (ordinal & 7))) !== 0;
  }

  get packCount(): number {
    return this.#packs;
  }

  #rowOf(packKey: Uint8Array): number | undefined {
    let low = 0;
    let high = this.#packs;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const row = 4 + middle * ROW_BYTES;
      const order = comparePackKeys(this.bytes, row, packKey);
      if (order === 0) return row;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return undefined;
  }
}

function comparePackKeys(bytes: Uint8Array, at: number, packKey: Uint8Array): number {
  for (let index = 0; index < PACK_KEY_BYTES; index += 1) {
    const difference = bytes[at + index]! - packKey[index]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The stored form for these ordinals per pack. */
export function encodeCondemned(packs: readonly { readonly packKey: Uint8Array; readonly ordinals: readonly number[] }[]): Uint8Array {
  const sorted = packs.filter(({ ordinals }) => ordinals.length > 0).toSorted((a, b) => Buffer.compare(a.packKey, b.packKey));
  const counts = sorted.map(({ ordinals }) => ordinals.reduce((most, ordinal) => Math.max(most, ordinal + 1), 0));
  const rows = 4 + sorted.length * ROW_BYTES;
  const bytes = new Uint8Array(rows + counts.reduce((sum, count) => sum + Math.ceil(count / 8), 0));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, sorted.length, true);
  let bitmap = rows;
  for (const [index, { packKey, ordinals }] of sorted.entries()) {
    const row = 4 + index * ROW_BYTES;
    bytes.set(packKey, row);
    view.setUint32(row + PACK_KEY_BYTES, counts[index]!, true);
    view.setUint32(row + PACK_KEY_BYTES + 4, bitmap, true);
    for (const ordinal of ordinals) bytes[bitmap + (ordinal >>> 3)]! |= 1 << (ordinal & 7);
    bitmap += Math.ceil(counts[index]! / 8);
  }
  return bytes;
}
