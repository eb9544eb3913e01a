import { FileSystemDamagedError } from '../../file-system.ts';
import { BitReader } from './bit-reader.ts';
import { HuffmanCode } from './huffman-code.ts';
import { undoCallTranslation } from './lzx-call-translation.ts';
import { readCodeLengths } from './lzx-code-lengths.ts';

/** The window, and so the most that a chunk holds. */
const WINDOW_BYTES = 32_768;
const LITERALS = 256;
/** Distances of a window of 32 KiB come in 30 slots, each with 8 symbols ([MS-PATCH] 2.6). */
const SLOTS = 30;
const LENGTH_SYMBOLS = 249;
const ALIGNED_SYMBOLS = 8;
const ALIGNED_BITS = 3;
const LONG = 7;
const SHORTEST_MATCH = 2;
/** Slots 0 to 2 stand for the distances used last. */
const RECENT = 3;

const VERBATIM = 1;
const ALIGNED = 2;
const UNCOMPRESSED = 3;

const slotBits = Uint8Array.from({ length: SLOTS }, (_, slot) => (slot < 2 ? 0 : (slot >> 1) - 1));
/** The distance at which a slot begins; two less than the format counts, which puts the recent ones before. */
const slotStart = new Int32Array(SLOTS);
for (let slot = 1, start = 0; slot < SLOTS; slot++) {
  start += 1 << slotBits[slot - 1]!;
  slotStart[slot] = start - 2;
}

const mainLengths = new Uint8Array(LITERALS + SLOTS * 8);
const lengthLengths = new Uint8Array(LENGTH_SYMBOLS);
const alignedLengths = new Uint8Array(ALIGNED_SYMBOLS);
const mainCode = new HuffmanCode(mainLengths.length, 11);
const lengthCode = new HuffmanCode(LENGTH_SYMBOLS, 9);
const alignedCode = new HuffmanCode(ALIGNED_SYMBOLS, 7);

/**
 * LZX as in WIM files and in files that Windows keeps compressed (WOF): one chunk with its own window of at most 32 KiB, E8 translation
 * with the fixed size 12,000,000, blocks of 32 KiB unless they say otherwise; else as in [MS-PATCH] 2. Fills exactly `into`; throws a
 * FileSystemDamagedError where the input is anything else than that.
 */
export function decompressLzx(input: Uint8Array, into: Uint8Array): void {
  if (into.length > WINDOW_BYTES) throw damaged('a chunk larger than 32 KiB');
  const reader = new BitReader(input);
  const recent = Int32Array.of(1, 1, 1);
  mainLengths.fill(0);
  lengthLengths.fill(0);
  for (let produced = 0; produced < into.length; ) {
    const type = reader.take(3);
    const end = produced + (reader.take(1) === 1 ? WINDOW_BYTES : reader.take(16));
    if (end > into.length || end === produced) throw damaged('a block of a wrong size');
    const block = into.subarray(0, end);
    if (type === UNCOMPRESSED) copyBlock(reader, block, produced, recent);
    else if (type === VERBATIM || type === ALIGNED) decodeBlock(reader, block, produced, recent, type === ALIGNED);
    else throw damaged('a block of an unknown type');
    produced = end;
  }
  undoCallTranslation(into);
}

/** A block of bytes as they are, behind the three recent distances, on a word's boundary ([MS-PATCH] 2.3). */
function copyBlock(reader: BitReader, block: Uint8Array, from: number, recent: Int32Array): void {
  reader.align();
  for (let index = 0; index < RECENT; index++) {
    recent[index] = reader.u32();
    if (recent[index]! <= 0) throw damaged('a recent distance of 0');
  }
  const bytes = reader.input.subarray(reader.position, reader.position + block.length - from);
  if (bytes.length < block.length - from) throw damaged('a block that is cut off');
  block.set(bytes, from);
  reader.position += bytes.length + (bytes.length & 1);
}

function decodeBlock(reader: BitReader, block: Uint8Array, from: number, recent: Int32Array, aligned: boolean): void {
  if (aligned) {
    for (let symbol = 0; symbol < ALIGNED_SYMBOLS; symbol++) alignedLengths[symbol] = reader.take(3);
    alignedCode.build(alignedLengths);
  }
  readCodeLengths(reader, mainLengths.subarray(0, LITERALS));
  readCodeLengths(reader, mainLengths.subarray(LITERALS));
  mainCode.build(mainLengths);
  readCodeLengths(reader, lengthLengths);
  lengthCode.build(lengthLengths);

  for (let produced = from; produced < block.length; ) {
    const symbol = mainCode.decode(reader);
    if (symbol < LITERALS) {
      block[produced++] = symbol;
      continue;
    }
    const header = symbol & 7;
    const length = SHORTEST_MATCH + (header === LONG ? LONG + lengthCode.decode(reader) : header);
    const distance = readDistance(reader, (symbol - LITERALS) >> 3, recent, aligned);
    const end = produced + length;
    if (distance > produced) throw damaged('a match before its chunk');
    if (end > block.length) throw damaged('a match past its block');
    for (; produced < end; produced++) block[produced] = block[produced - distance]!;
  }
}

function readDistance(reader: BitReader, slot: number, recent: Int32Array, aligned: boolean): number {
  if (slot < RECENT) {
    const distance = recent[slot]!;
    recent[slot] = recent[0]!;
    recent[0] = distance;
    return distance;
  }
  const bits = slotBits[slot]!;
  const more =
    aligned && bits >= ALIGNED_BITS ? (reader.take(bits - ALIGNED_BITS) << ALIGNED_BITS) | alignedCode.decode(reader) : reader.take(bits);
  recent[2] = recent[1]!;
  recent[1] = recent[0]!;
  recent[0] = slotStart[slot]! + more;
  return recent[0];
}

const damaged = (what: string) => new FileSystemDamagedError('ntfs', `LZX-compressed data has ${what}`);
