import { FileSystemDamagedError } from '../../file-system.ts';

/** Bytes that one chunk stands for; a match never leaves its chunk. */
const CHUNK_BYTES = 4096;
const COMPRESSED = 0x8000;
const SIGNATURE = 0x7000;
const SIGNATURE_VALUE = 0x3000;
const SIZE = 0x0fff;

/**
 * LZNT1 ([MS-XCA] 2.5), as in the compression units of NTFS. Answers the bytes produced, at most `into.length`; those beyond stay as they
 * are. A chunk that is short and not the last is filled with zeros to 4096, as Windows does. Throws a FileSystemDamagedError for anything
 * else than whole chunks.
 */
export function decompressLznt1(input: Uint8Array, into: Uint8Array): number {
  let at = 0;
  let produced = 0;
  // What follows a full unit in its last cluster is not defined: nobody reads it.
  while (at + 2 <= input.length && roundUp(produced) < into.length) {
    const header = input[at]! | (input[at + 1]! << 8);
    if (header === 0) break;
    const start = roundUp(produced);
    const end = at + 2 + (header & SIZE) + 1;
    if ((header & SIGNATURE) !== SIGNATURE_VALUE) throw damaged('a chunk without its signature');
    if (end > input.length) throw damaged('a chunk that ends past its data');
    into.fill(0, produced, start);
    const chunk = into.subarray(start, start + CHUNK_BYTES);
    const body = input.subarray(at + 2, end);
    produced = start + (header & COMPRESSED ? decompressChunk(body, chunk) : copyChunk(body, chunk));
    at = end;
  }
  return produced;
}

const roundUp = (bytes: number) => Math.ceil(bytes / CHUNK_BYTES) * CHUNK_BYTES;

function copyChunk(body: Uint8Array, chunk: Uint8Array): number {
  if (body.length > chunk.length) throw damaged('a chunk that is larger than its place');
  chunk.set(body);
  return body.length;
}

/** Groups of a flag byte and eight items: a byte as it is, or two bytes for a match ([MS-XCA] 2.5.1.4). */
function decompressChunk(body: Uint8Array, chunk: Uint8Array): number {
  let at = 0;
  let produced = 0;
  // Bits of a match that tell its length: the further into the chunk, the more bits the distance needs.
  let lengthBits = 12;
  while (at < body.length) {
    for (let flags = body[at++]! | 0x100; flags > 1 && at < body.length; flags >>= 1) {
      if ((flags & 1) === 0) {
        if (produced >= chunk.length) throw damaged('a chunk that is larger than its place');
        chunk[produced++] = body[at++]!;
        continue;
      }
      if (at + 2 > body.length) throw damaged('a match that is cut off');
      const match = body[at]! | (body[at + 1]! << 8);
      at += 2;
      while (lengthBits > 4 && produced > 1 << (16 - lengthBits)) lengthBits -= 1;
      const distance = (match >> lengthBits) + 1;
      const end = produced + (match & ((1 << lengthBits) - 1)) + 3;
      if (distance > produced) throw damaged('a match before its chunk');
      if (end > chunk.length) throw damaged('a match past its chunk');
      for (; produced < end; produced++) chunk[produced] = chunk[produced - distance]!;
    }
  }
  return produced;
}

const damaged = (what: string) => new FileSystemDamagedError('ntfs', `LZNT1-compressed data has ${what}`);
