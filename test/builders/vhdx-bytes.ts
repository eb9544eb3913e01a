import { crc32cWithout } from '../../src/lib/crc32c.ts';
import { guidToBytes } from '../../src/lib/guid.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const SECTOR = 4 * KIB;
const LOG_GUID = '10101010-2020-3030-4040-505050505050';

/** Where what in an image that mabs made. */
export const PLACE = {
  headers: [64 * KIB, 128 * KIB],
  regionTables: [192 * KIB, 256 * KIB],
  log: { offset: MIB, length: MIB },
  metadata: 2 * MIB,
  bat: 3 * MIB,
  /** The first payload block, where the table takes no more than 1 MiB. */
  payload: 4 * MIB,
} as const;

/** Makes the checksums of headers and region tables right again after something in them was changed. */
export function fixChecksums(image: Uint8Array): void {
  const places = [...PLACE.headers.map((at) => [at, 4 * KIB]), ...PLACE.regionTables.map((at) => [at, 64 * KIB])] as [number, number][];
  for (const [at, length] of places) setChecksum(image.subarray(at, at + length));
}

export interface LogWrite {
  readonly at: number;
  /** 4096 bytes, or a number: that many zeros. */
  readonly content: Uint8Array | number;
}

export interface LogEntrySpec {
  readonly sequence: bigint;
  readonly writes: readonly LogWrite[];
  /** The entry that the sequence begins with, by its index here; itself when absent. */
  readonly tail?: number;
  readonly flushedFileOffset?: number;
  readonly lastFileOffset?: number;
  /** Spoils the entry after its checksum was made. */
  readonly torn?: boolean;
}

/**
 * Puts entries into the log, one after the other from `start` on and around its end, and marks the log as in use.
 * Written from MS-VHDX 2.3, not from the reader.
 */
export function putLog(image: Uint8Array, entries: readonly LogEntrySpec[], start = 0): void {
  const log = image.subarray(PLACE.log.offset, PLACE.log.offset + PLACE.log.length);
  const starts: number[] = [];
  let at = start;
  for (const entry of entries) {
    starts.push(at);
    const bytes = encodeEntry(entry, starts[entry.tail ?? starts.length - 1]!, image.length);
    for (let done = 0; done < bytes.length; done += SECTOR) log.set(bytes.subarray(done, done + SECTOR), (at + done) % log.length);
    at = (at + bytes.length) % log.length;
  }
  for (const header of PLACE.headers) image.set(guidToBytes(LOG_GUID), header + 48);
  fixChecksums(image);
}

function encodeEntry({ sequence, writes, torn, ...entry }: LogEntrySpec, tail: number, fileSize: number): Uint8Array {
  const descriptors = Math.ceil((64 + writes.length * 32) / SECTOR) * SECTOR;
  const data = writes.map(({ content }) => content).filter((content) => typeof content !== 'number');
  const bytes = Buffer.alloc(descriptors + data.length * SECTOR);
  bytes.write('loge', 0);
  bytes.writeUInt32LE(bytes.length, 8);
  bytes.writeUInt32LE(tail, 12);
  bytes.writeBigUInt64LE(sequence, 16);
  bytes.writeUInt32LE(writes.length, 24);
  bytes.set(guidToBytes(LOG_GUID), 32);
  bytes.writeBigUInt64LE(BigInt(entry.flushedFileOffset ?? fileSize), 48);
  bytes.writeBigUInt64LE(BigInt(entry.lastFileOffset ?? fileSize), 56);
  let dataAt = descriptors;
  writes.forEach(({ at, content }, index) => {
    const descriptor = bytes.subarray(64 + index * 32, 96 + index * 32);
    descriptor.writeBigUInt64LE(BigInt(at), 16);
    descriptor.writeBigUInt64LE(sequence, 24);
    if (typeof content === 'number') {
      descriptor.write('zero', 0);
      descriptor.writeBigUInt64LE(BigInt(content), 8);
      return;
    }
    descriptor.write('desc', 0);
    descriptor.set(content.subarray(4092), 4);
    descriptor.set(content.subarray(0, 8), 8);
    bytes.write('data', dataAt);
    bytes.writeUInt32LE(Number(sequence >> 32n), dataAt + 4);
    bytes.set(content.subarray(8, 4092), dataAt + 8);
    bytes.writeUInt32LE(Number(sequence & 0xffff_ffffn), dataAt + 4092);
    dataAt += SECTOR;
  });
  setChecksum(bytes);
  if (torn) bytes[bytes.length - 100]! ^= 1;
  return bytes;
}

function setChecksum(structure: Uint8Array): void {
  new DataView(structure.buffer, structure.byteOffset).setUint32(4, crc32cWithout(structure, 4), true);
}

/** Makes the checksums of the log's entries right again, as far as they still look like entries. */
export function fixLogChecksums(image: Uint8Array): void {
  const log = Buffer.from(image.buffer, image.byteOffset + PLACE.log.offset, PLACE.log.length);
  for (let at = 0; at < log.length; at += SECTOR) {
    const length = log.readUInt32LE(at + 8);
    const isEntry = log.toString('latin1', at, at + 4) === 'loge' && length >= SECTOR && length <= log.length - at;
    if (isEntry) setChecksum(log.subarray(at, at + length));
  }
}
