import { FileSystemDamagedError } from '../../file-system.ts';

/** Words that may be looked at past the end: what is looked at need not be taken. */
const MOST_WORDS_PAST_END = 2;

/**
 * The bit stream of XPRESS Huffman and LZX: little-endian words of 16 bits, each read from its highest bit, and whole bytes between them.
 * Past the end it reads zeros for a little, then throws a FileSystemDamagedError.
 */
export class BitReader {
  readonly input: Uint8Array;
  /** Where the next word or byte is taken from. */
  position: number;
  #bits = 0;
  #count = 0;

  constructor(input: Uint8Array, position = 0) {
    this.input = input;
    this.position = position;
  }

  /** Makes sure of at least 16 bits, and answers the next 16 without taking them. */
  peek16(): number {
    if (this.#count < 16) this.#fill();
    return this.#bits >>> 16;
  }

  /** Takes bits that were looked at: 0 to 16. */
  skip(bits: number): void {
    this.#bits <<= bits;
    this.#count -= bits;
  }

  /** Takes 0 to 16 bits. */
  take(bits: number): number {
    const value = this.peek16() >>> (16 - bits);
    this.skip(bits);
    return value;
  }

  /** A byte from between the words. */
  byte(): number {
    if (this.position >= this.input.length) throw pastEnd();
    return this.input[this.position++]!;
  }

  u16(): number {
    return this.byte() | (this.byte() << 8);
  }

  u32(): number {
    return (this.u16() | (this.u16() << 16)) >>> 0;
  }

  /** Drops the rest of the word that was begun; a whole one, where none was. */
  align(): void {
    this.peek16();
    if (this.#count > 16) this.position -= 2; // a whole word was looked at beyond the one that was begun
    this.#bits = 0;
    this.#count = 0;
  }

  #fill(): void {
    const { input, position } = this;
    if (position >= input.length + 2 * MOST_WORDS_PAST_END) throw pastEnd();
    const word = (input[position] ?? 0) | ((input[position + 1] ?? 0) << 8);
    this.position = position + 2;
    this.#bits |= word << (16 - this.#count);
    this.#count += 16;
  }
}

const pastEnd = () => new FileSystemDamagedError('ntfs', 'compressed data ends too early');
