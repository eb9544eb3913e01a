import { safeNumber, struct, u8, u16le, u32le, u64le } from '../../lib/struct.ts';
import { fileTimeFromDos } from '../dos-time.ts';
import { type FileAttribute, type FileNode, FileSystemDamagedError } from '../file-system.ts';

export const ENTRY_BYTES = 32;

/** Directory entries of exFAT specification 1.00: file (7.4), stream extension (7.6); file name entries (7.7) follow. */
const FILE = struct(ENTRY_BYTES, {
  checksum: u16le(2),
  attributes: u16le(4),
  created: u32le(8),
  modified: u32le(12),
  accessed: u32le(16),
  createdHundredths: u8(20),
  modifiedHundredths: u8(21),
  createdOffset: u8(22),
  modifiedOffset: u8(23),
  accessedOffset: u8(24),
});
const STREAM = struct(ENTRY_BYTES, {
  flags: u8(1),
  nameLength: u8(3),
  validBytes: u64le(8),
  firstCluster: u32le(20),
  sizeBytes: u64le(24),
});

const STREAM_TYPE = 0xc0;
const NAME_TYPE = 0xc1;
const NAME_UNITS = 15;
const CONTIGUOUS = 0x02;
const DIRECTORY = 0x10;
const ATTRIBUTES: readonly (readonly [number, FileAttribute])[] = [
  [0x01, 'readonly'],
  [0x02, 'hidden'],
  [0x04, 'system'],
  [0x20, 'archive'],
];
/** Windows' encrypted files on FAT and exFAT begin with a header, which it writes without counting it as valid while the file is empty. */
const ENCRYPTED_NAME = /\.pfile$/i;
const ENCRYPTED_HEADER_BYTES = 4096;
const OFFSET_VALID = 0x80;
const OFFSET_MINUTES = 15;

/** A file or directory of an exFAT volume. */
export interface ExfatNode extends FileNode {
  /** 0 where it has none. */
  readonly firstCluster: number;
  /** Its clusters lie side by side and have no chain. */
  readonly contiguous: boolean;
  /** What is allocated; of a file also its size. */
  readonly allocatedBytes: number;
  /** Up to here it was written; it reads as zero from there on. */
  readonly validBytes: number;
}

/** The entries of one file, of which the first is at `position` on the volume. */
export interface EntrySet {
  readonly bytes: Uint8Array;
  readonly position: number;
}

/** The name in a set, as far as it is there. */
export function nameOfSet({ bytes }: EntrySet): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = bytes[ENTRY_BYTES] === STREAM_TYPE ? bytes[ENTRY_BYTES + STREAM.offsetOf.nameLength]! : 0;
  const units: number[] = [];
  for (let at = ENTRY_BYTES * 2; at < bytes.length && units.length < length && bytes[at] === NAME_TYPE; at += ENTRY_BYTES) {
    for (let unit = 0; unit < NAME_UNITS && units.length < length; unit++) units.push(view.getUint16(at + 2 + unit * 2, true));
  }
  return String.fromCharCode(...units);
}

export const isDirectorySet = ({ bytes }: EntrySet) => (bytes[FILE.offsetOf.attributes]! & DIRECTORY) !== 0;

/** What a set tells of its file. Throws a FileSystemDamagedError where it is not whole, its checksum is wrong or its sizes cannot be. */
export function nodeOfSet(set: EntrySet): ExfatNode {
  const { bytes, position } = set;
  const fields = FILE.read(bytes);
  if (bytes.length !== ENTRY_BYTES * (1 + bytes[1]!) || bytes[ENTRY_BYTES] !== STREAM_TYPE)
    throw damaged('the entries of a file are not complete');
  if (fields.checksum !== setChecksum(bytes)) throw damaged('the entries of a file do not match their checksum');
  const stream = STREAM.read(bytes, ENTRY_BYTES);
  const name = nameOfSet(set);
  if (name.length !== stream.nameLength) throw damaged('the name of a file is not complete');
  const sizeBytes = safeNumber(stream.sizeBytes);
  const validBytes = safeNumber(stream.validBytes);
  if (sizeBytes === undefined || validBytes === undefined || validBytes > sizeBytes) throw damaged('a file has no valid size');
  const directory = isDirectorySet(set);
  return {
    id: String(position),
    type: directory ? 'dir' : 'file',
    size: directory ? 0 : sizeBytes,
    ...timesOf(fields),
    links: 1,
    attributes: ATTRIBUTES.filter(([bit]) => fields.attributes & bit).map(([, name]) => name),
    firstCluster: stream.firstCluster,
    contiguous: (stream.flags & CONTIGUOUS) !== 0,
    allocatedBytes: sizeBytes,
    validBytes: ENCRYPTED_NAME.test(name) ? Math.max(validBytes, Math.min(sizeBytes, ENCRYPTED_HEADER_BYTES)) : validBytes,
  };
}

/** Over all entries of a set, except itself (6.3.3). */
export function setChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at++) {
    if (at !== 2 && at !== 3) sum = (((sum & 1) << 15) + (sum >> 1) + bytes[at]!) & 0xffff;
  }
  return sum;
}

function timesOf(fields: ReturnType<typeof FILE.read>): Pick<FileNode, 'modified' | 'created' | 'accessed'> {
  const modified = timeOf(fields.modified, fields.modifiedOffset, fields.modifiedHundredths);
  const created = timeOf(fields.created, fields.createdOffset, fields.createdHundredths);
  const accessed = timeOf(fields.accessed, fields.accessedOffset);
  return {
    ...(modified !== undefined && { modified }),
    ...(created !== undefined && { created }),
    ...(accessed !== undefined && { accessed }),
  };
}

/**
 * A time stamp (7.4.8) with its offset from UTC in quarters of an hour (7.4.10): without a valid one it is some local time, taken as UTC.
 */
function timeOf(stamp: number, offset: number, hundredths?: number) {
  const quarters = ((offset & 0x7f) ^ 0x40) - 0x40;
  return fileTimeFromDos({
    date: stamp >>> 16,
    time: stamp & 0xffff,
    ...(hundredths !== undefined && { hundredths }),
    ...(offset & OFFSET_VALID && { minutesAheadOfUtc: quarters * OFFSET_MINUTES }),
  });
}

const damaged = (what: string) => new FileSystemDamagedError('exfat', what);
