import { crc32cWithout } from '../../lib/crc32c.ts';
import { MabsError } from '../../lib/errors.ts';
import { NIL_GUID } from '../../lib/guid.ts';
import { ascii, guid, safeNumber, struct, type Unpacked, u16le, u32le, u64le } from '../../lib/struct.ts';
import { isWholeMegabytes, KIB, MIB } from './vhdx-units.ts';

/** MS-VHDX 2.2.1, File Type Identifier: signature and 256 UTF-16 characters of creator. */
export const FILE_SIGNATURE = 'vhdxfile';

/** MS-VHDX 2.2.2, Headers: two copies, written in turn. */
export const HEADER = struct(4096, {
  signature: ascii(0, 4),
  checksum: u32le(4),
  sequenceNumber: u64le(8),
  fileWriteGuid: guid(16),
  dataWriteGuid: guid(32),
  logGuid: guid(48),
  logVersion: u16le(64),
  version: u16le(66),
  logLength: u32le(68),
  logOffset: u64le(72),
});

export type VhdxHeader = Unpacked<typeof HEADER>;

/** Where the two copies stand in the file. */
export const HEADER_POSITIONS = [64 * KIB, 128 * KIB] as const;

export class VhdxHeaderError extends MabsError {
  readonly code = 'MABS-VHDX-HEADER';
  readonly hint = 'The file is no VHDX or its headers are damaged: recover this disk from its newest recovery point.';
  override readonly kind = 'damaged';
  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`);
  }
}

/** The header in force and the copy that holds it: of the copies that are intact, the one with the highest sequence number. */
export function currentHeader(path: string, copies: readonly Uint8Array[]): { readonly header: VhdxHeader; readonly copy: number } {
  const intact = copies.flatMap((bytes, copy) => {
    const header = HEADER.read(bytes);
    return header.signature === 'head' && header.checksum === crc32cWithout(bytes, HEADER.offsetOf.checksum) ? [{ header, copy }] : [];
  });
  const newest = intact.reduce<(typeof intact)[number] | undefined>(
    (best, next) => (best && best.header.sequenceNumber >= next.header.sequenceNumber ? best : next),
    undefined,
  );
  if (!newest) throw new VhdxHeaderError(path, 'neither of its two VHDX headers is intact');
  if (newest.header.version !== 1) throw new VhdxHeaderError(path, `its VHDX version is ${newest.header.version}, only 1 is known`);
  return newest;
}

/** Where the log lies; `undefined` when it is empty. */
export function dirtyLogOf(path: string, header: VhdxHeader): { readonly offset: number; readonly length: number } | undefined {
  if (header.logGuid === NIL_GUID) return undefined;
  if (header.logVersion !== 0) throw new VhdxHeaderError(path, `its log has version ${header.logVersion}, only 0 is known`);
  const offset = safeNumber(header.logOffset);
  const length = header.logLength;
  if (offset === undefined || offset < MIB || length === 0 || !isWholeMegabytes(offset) || !isWholeMegabytes(length)) {
    throw new VhdxHeaderError(path, `its header places the log at ${header.logOffset}, ${length} bytes long`);
  }
  return { offset, length };
}

/** The bytes of a header with its checksum. */
export function encodeHeader(header: Omit<VhdxHeader, 'signature' | 'checksum'>): Uint8Array {
  const bytes = HEADER.make({ ...header, signature: 'head', checksum: 0 });
  HEADER.write(bytes, { checksum: crc32cWithout(bytes, HEADER.offsetOf.checksum) });
  return bytes;
}
