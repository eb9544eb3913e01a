import { FileSystemDamagedError } from '../../file-system.ts';
import type { BitReader } from './bit-reader.ts';

const MOST_BITS = 16;

/**
 * A canonical Huffman code, as XPRESS Huffman ([MS-XCA] 2.2.4) and LZX ([MS-PATCH] 2.2) use it: shorter codes first, and among those of
 * one length in the order of their symbols. Short codes are found by a table, longer ones by their length. Made once, built anew for every
 * chunk or block.
 */
export class HuffmanCode {
  readonly #tableBits: number;
  /** By the next bits: symbol × 32 + length; 0 where a longer code, or none, begins so. */
  readonly #table: Uint16Array;
  readonly #sorted: Uint16Array;
  readonly #count = new Uint16Array(MOST_BITS + 1);
  readonly #firstCode = new Uint32Array(MOST_BITS + 1);
  readonly #firstPlace = new Uint16Array(MOST_BITS + 1);

  /** `tableBits`: up to which length codes are found at once. At most 2047 symbols. */
  constructor(symbols: number, tableBits: number) {
    this.#tableBits = tableBits;
    this.#table = new Uint16Array(1 << tableBits);
    this.#sorted = new Uint16Array(symbols);
  }

  /**
   * Takes the length of each symbol's code, 0 to 16; 0: the symbol does not occur. Codes may be left over, which then are damage; too many
   * are damage.
   */
  build(lengths: Uint8Array): void {
    const count = this.#count.fill(0);
    for (const length of lengths) count[length]! += 1;
    count[0] = 0;
    let code = 0;
    let place = 0;
    for (let length = 1; length <= MOST_BITS; length++) {
      code = (code + count[length - 1]!) * 2;
      this.#firstCode[length] = code;
      this.#firstPlace[length] = place;
      place += count[length]!;
      if (code + count[length]! > 1 << length) throw damagedCode('more codes than there can be');
    }
    this.#sortSymbols(lengths);
    this.#fillTable();
  }

  /** Takes one symbol. */
  decode(reader: BitReader): number {
    const next = reader.peek16();
    const entry = this.#table[next >>> (MOST_BITS - this.#tableBits)]!;
    if (entry === 0) return this.#decodeLong(reader, next);
    reader.skip(entry & 31);
    return entry >>> 5;
  }

  #sortSymbols(lengths: Uint8Array): void {
    const place = this.#firstPlace.slice();
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      const length = lengths[symbol]!;
      if (length > 0) this.#sorted[place[length]!++] = symbol;
    }
  }

  #fillTable(): void {
    let filled = 0;
    for (let length = 1; length <= this.#tableBits; length++) {
      const places = 1 << (this.#tableBits - length);
      const first = this.#firstPlace[length]!;
      for (let place = first; place < first + this.#count[length]!; place++) {
        this.#table.fill((this.#sorted[place]! << 5) | length, filled, filled + places);
        filled += places;
      }
    }
    this.#table.fill(0, filled);
  }

  #decodeLong(reader: BitReader, next: number): number {
    for (let length = this.#tableBits + 1; length <= MOST_BITS; length++) {
      const index = (next >>> (MOST_BITS - length)) - this.#firstCode[length]!;
      if (index >= 0 && index < this.#count[length]!) {
        reader.skip(length);
        return this.#sorted[this.#firstPlace[length]! + index]!;
      }
    }
    throw damagedCode('a code that stands for nothing');
  }
}

const damagedCode = (what: string) => new FileSystemDamagedError('ntfs', `compressed data has ${what}`);
