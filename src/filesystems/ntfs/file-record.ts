import { type Attribute, parseAttributes } from './attributes.ts';
import { undoFixups } from './fixups.ts';
import { damaged, sizeAt } from './ntfs-damage.ts';

const IN_USE = 1;
const IS_DIRECTORY = 2;
const HEADER_BYTES = 42;

/** A record of the master file table (libfsntfs, 5 The Master File Table): a file, or a part of one whose attributes need several. */
export interface FileRecord {
  readonly number: number;
  /** Counts the files that had this record. */
  readonly sequence: number;
  readonly isInUse: boolean;
  readonly isDirectory: boolean;
  /** Names, short ones too. */
  readonly linkCount: number;
  /** Number of the record of which this one is a part; 0 for none. */
  readonly base: number;
  readonly attributes: readonly Attribute[];
}

/** A reference to a record: its number and the sequence that it had when the reference was made. */
export interface RecordReference {
  readonly number: number;
  readonly sequence: number;
}

/** Six bytes of number and two of sequence. */
export function referenceAt(view: DataView, at: number): RecordReference {
  return {
    number: view.getUint16(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true),
    sequence: view.getUint16(at + 6, true),
  };
}

/** Parses a record as it was read; `bytes` belong to the record from now on. */
export function parseFileRecord(bytes: Uint8Array, number: number): FileRecord {
  const what = `file record ${number}`;
  undoFixups(bytes, 'FILE', what);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const attributesAt = view.getUint16(20, true);
  const usedBytes = view.getUint32(24, true);
  if (attributesAt < HEADER_BYTES || usedBytes > bytes.length || attributesAt > usedBytes) throw damaged(`the header of ${what} is wrong`);
  const flags = view.getUint16(22, true);
  return {
    number,
    sequence: view.getUint16(16, true),
    isInUse: (flags & IN_USE) !== 0,
    isDirectory: (flags & IS_DIRECTORY) !== 0,
    linkCount: view.getUint16(18, true),
    base: sizeAt(view, 32, 'a base record') === 0 ? 0 : referenceAt(view, 32).number,
    attributes: (flags & IN_USE) !== 0 ? parseAttributes(bytes, attributesAt, usedBytes, what) : [],
  };
}
