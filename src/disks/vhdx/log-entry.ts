import { crc32cWithout } from '../../lib/crc32c.ts';
import { ascii, bytes, guid, safeNumber, struct, u32le, u64le } from '../../lib/struct.ts';
import type { Patch } from './patched-source.ts';
import { isWholeMegabytes, KIB, roundUp } from './vhdx-units.ts';

/** The unit of the log: entries, descriptors' area and data come in sectors of 4 KiB (MS-VHDX 2.3.1). */
export const LOG_SECTOR = 4 * KIB;

const ENTRY_HEADER = struct(64, {
  signature: ascii(0, 4),
  checksum: u32le(4),
  entryLength: u32le(8),
  tail: u32le(12),
  sequenceNumber: u64le(16),
  descriptorCount: u32le(24),
  logGuid: guid(32),
  flushedFileOffset: u64le(48),
  lastFileOffset: u64le(56),
});
const ZERO_DESCRIPTOR = struct(32, { signature: ascii(0, 4), zeroLength: u64le(8), fileOffset: u64le(16), sequenceNumber: u64le(24) });
const DATA_DESCRIPTOR = struct(32, {
  signature: ascii(0, 4),
  trailingBytes: bytes(4, 4),
  leadingBytes: bytes(8, 8),
  fileOffset: u64le(16),
  sequenceNumber: u64le(24),
});
const DATA_SECTOR = struct(4096, { signature: ascii(0, 4), sequenceHigh: u32le(4), data: bytes(8, 4084), sequenceLow: u32le(4092) });

/** An entry of the log that is whole and belongs to it. */
export interface LogEntry {
  readonly length: number;
  /** Where, from the log's start, the sequence begins that ends with this entry. */
  readonly tail: number;
  readonly sequenceNumber: bigint;
  /** The file was at least this long on stable storage when the entry was written. */
  readonly flushedFileOffset: number;
  /** The file has to be at least this long after a replay. */
  readonly lastFileOffset: number;
  readonly patches: readonly Patch[];
}

/** The length that the header at a sector's start declares, if an entry of this log may begin there. */
export function declaredEntryLength(sector: Uint8Array, logGuid: string, logLength: number): number | undefined {
  const header = ENTRY_HEADER.read(sector);
  if (header.signature !== 'loge' || header.logGuid !== logGuid) return undefined;
  const { entryLength } = header;
  return entryLength >= LOG_SECTOR && entryLength % LOG_SECTOR === 0 && entryLength <= logLength ? entryLength : undefined;
}

/** An entry from its bytes; `undefined` when anything about it is not as it must be: a torn write is no error (MS-VHDX 2.3.1.1). */
export function parseLogEntry(entry: Uint8Array): LogEntry | undefined {
  const header = ENTRY_HEADER.read(entry);
  const { descriptorCount, sequenceNumber, tail } = header;
  const dataStart = roundUp(ENTRY_HEADER.size + descriptorCount * ZERO_DESCRIPTOR.size, LOG_SECTOR);
  if (dataStart > entry.length || sequenceNumber === 0n || tail % LOG_SECTOR !== 0) return undefined;
  if (crc32cWithout(entry, ENTRY_HEADER.offsetOf.checksum) !== header.checksum) return undefined;
  const flushedFileOffset = safeNumber(header.flushedFileOffset);
  const lastFileOffset = safeNumber(header.lastFileOffset);
  if (flushedFileOffset === undefined || lastFileOffset === undefined) return undefined;
  if (!isWholeMegabytes(flushedFileOffset) || !isWholeMegabytes(lastFileOffset)) return undefined;
  const patches = patchesOf(entry, descriptorCount, dataStart, sequenceNumber);
  return patches && { length: entry.length, tail, sequenceNumber, flushedFileOffset, lastFileOffset, patches };
}

function patchesOf(entry: Uint8Array, descriptorCount: number, dataStart: number, sequenceNumber: bigint): Patch[] | undefined {
  const patches: Patch[] = [];
  let dataAt = dataStart;
  for (let index = 0; index < descriptorCount; index++) {
    const at = ENTRY_HEADER.size + index * ZERO_DESCRIPTOR.size;
    const isZero = ZERO_DESCRIPTOR.read(entry, at).signature === 'zero';
    const patch = isZero ? zeroPatch(entry, at, sequenceNumber) : dataPatch(entry, at, dataAt, sequenceNumber);
    if (!patch) return undefined;
    if (patch.length > 0) patches.push(patch);
    if (!isZero) dataAt += LOG_SECTOR;
  }
  return patches;
}

function zeroPatch(entry: Uint8Array, at: number, sequence: bigint): Patch | undefined {
  const { zeroLength, fileOffset, sequenceNumber } = ZERO_DESCRIPTOR.read(entry, at);
  const offset = safeNumber(fileOffset);
  const length = safeNumber(zeroLength);
  if (sequenceNumber !== sequence || offset === undefined || length === undefined || !Number.isSafeInteger(offset + length))
    return undefined;
  return offset % LOG_SECTOR === 0 && length % LOG_SECTOR === 0 ? { offset, length } : undefined;
}

function dataPatch(entry: Uint8Array, at: number, dataAt: number, sequence: bigint): Patch | undefined {
  const { signature, trailingBytes, leadingBytes, fileOffset, sequenceNumber } = DATA_DESCRIPTOR.read(entry, at);
  const offset = safeNumber(fileOffset);
  if (signature !== 'desc' || sequenceNumber !== sequence || offset === undefined || offset % LOG_SECTOR !== 0) return undefined;
  if (dataAt + LOG_SECTOR > entry.length || !Number.isSafeInteger(offset + LOG_SECTOR)) return undefined;
  const sector = DATA_SECTOR.read(entry, dataAt);
  const written = (BigInt(sector.sequenceHigh) << 32n) | BigInt(sector.sequenceLow);
  if (sector.signature !== 'data' || written !== sequence) return undefined;
  // The first eight and the last four bytes make room for the sector's own marks and stand in the descriptor.
  const restored = new Uint8Array(LOG_SECTOR);
  restored.set(leadingBytes, 0);
  restored.set(sector.data, leadingBytes.length);
  restored.set(trailingBytes, LOG_SECTOR - trailingBytes.length);
  return { offset, length: LOG_SECTOR, bytes: restored };
}
