import { FileSystemDamagedError } from '../../file-system.ts';
import type { BitReader } from './bit-reader.ts';
import { HuffmanCode } from './huffman-code.ts';

const SYMBOLS = 20;
/** Symbols below tell how much less a length is than before, modulo 17; these three tell of several lengths at once. */
const ZEROS = 17;
const MANY_ZEROS = 18;
const SAME = 19;
const MODULUS = 17;

const ownLengths = new Uint8Array(SYMBOLS);
const code = new HuffmanCode(SYMBOLS, 8);

/**
 * Changes the lengths of codes from those of the block before to those of this one ([MS-PATCH] 2.5). A run that would go on past the last
 * length ends with it.
 */
export function readCodeLengths(reader: BitReader, lengths: Uint8Array): void {
  for (let symbol = 0; symbol < SYMBOLS; symbol++) ownLengths[symbol] = reader.take(4);
  code.build(ownLengths);
  for (let at = 0; at < lengths.length; ) {
    const symbol = code.decode(reader);
    if (symbol < ZEROS) {
      lengths[at] = changed(lengths[at]!, symbol);
      at += 1;
      continue;
    }
    const run = readRun(reader, symbol);
    const value = symbol === SAME ? sameLength(reader, lengths[at]!) : 0;
    lengths.fill(value, at, at + run);
    at += run;
  }
}

function readRun(reader: BitReader, symbol: number): number {
  if (symbol === ZEROS) return 4 + reader.take(4);
  if (symbol === MANY_ZEROS) return 20 + reader.take(5);
  return 4 + reader.take(1);
}

function sameLength(reader: BitReader, before: number): number {
  const symbol = code.decode(reader);
  if (symbol >= ZEROS) throw new FileSystemDamagedError('ntfs', 'LZX-compressed data has a run within a run');
  return changed(before, symbol);
}

const changed = (before: number, symbol: number) => (before - symbol + MODULUS) % MODULUS;
