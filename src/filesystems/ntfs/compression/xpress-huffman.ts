import { FileSystemDamagedError } from '../../file-system.ts';
import { BitReader } from './bit-reader.ts';
import { HuffmanCode } from './huffman-code.ts';

/** Bytes that one table of codes serves; a chunk of WOF is smaller ([MS-XCA] 2.2.4). */
const MOST_BYTES = 65_536;
const SYMBOLS = 512;
const LITERALS = 256;
const TABLE_BYTES = SYMBOLS / 2;
const SHORTEST_MATCH = 3;
/** In a symbol or a byte: the length goes on behind it. */
const LONG = 15;
const LONGER = 255;

const lengths = new Uint8Array(SYMBOLS);
const code = new HuffmanCode(SYMBOLS, 11);

/**
 * XPRESS with Huffman codes ([MS-XCA] 2.1 and 2.2), one chunk: fills exactly `into`, at most 64 KiB. Throws a FileSystemDamagedError where
 * the input is anything else than that.
 */
export function decompressXpressHuffman(input: Uint8Array, into: Uint8Array): void {
  if (into.length > MOST_BYTES) throw damaged('a chunk larger than 64 KiB');
  if (input.length < TABLE_BYTES) throw damaged('no table of codes');
  for (let at = 0; at < TABLE_BYTES; at++) {
    lengths[at * 2] = input[at]! & 15;
    lengths[at * 2 + 1] = input[at]! >> 4;
  }
  code.build(lengths);
  const reader = new BitReader(input, TABLE_BYTES);
  for (let produced = 0; produced < into.length; ) {
    const symbol = code.decode(reader);
    if (symbol < LITERALS) into[produced++] = symbol;
    else produced = copyMatch(reader, symbol, into, produced);
  }
}

/**
 * A match: its symbol tells the bits of its distance and the begin of its length; the rest of the length stands in bytes before the
 * distance's bits.
 */
function copyMatch(reader: BitReader, symbol: number, into: Uint8Array, produced: number): number {
  const distanceBits = (symbol >> 4) & 15;
  reader.peek16(); // the bytes of the length lie behind the words that were begun: 16 bits are always looked ahead
  const length = SHORTEST_MATCH + ((symbol & 15) === LONG ? longLength(reader) : symbol & 15);
  const distance = (1 << distanceBits) | reader.take(distanceBits);
  const end = produced + length;
  if (distance > produced) throw damaged('a match before its chunk');
  if (end > into.length) throw damaged('a match past its chunk');
  for (let at = produced; at < end; at++) into[at] = into[at - distance]!;
  return end;
}

function longLength(reader: BitReader): number {
  const more = reader.byte();
  if (more < LONGER) return LONG + more;
  const length = reader.u16() || reader.u32();
  if (length < LONG) throw damaged('a match whose length is too short for its form');
  return length;
}

const damaged = (what: string) => new FileSystemDamagedError('ntfs', `XPRESS-compressed data has ${what}`);
