import { struct, u8, u16le, u32le } from '../../lib/struct.ts';
import { fileTimeFromDos } from '../dos-time.ts';
import type { FileAttribute, FileNode } from '../file-system.ts';
import { LongName } from './long-name.ts';
import { shortNameText } from './short-name.ts';

export const ENTRY_BYTES = 32;

/** A directory entry (FAT specification 1.03, "FAT Directory Structure"). */
const ENTRY = struct(ENTRY_BYTES, {
  attributes: u8(11),
  createdHundredths: u8(13),
  createdTime: u16le(14),
  createdDate: u16le(16),
  accessedDate: u16le(18),
  /** FAT32 only; FAT12 and FAT16 keep other things there. */
  clusterHigh: u16le(20),
  modifiedTime: u16le(22),
  modifiedDate: u16le(24),
  clusterLow: u16le(26),
  sizeBytes: u32le(28),
});

const ATTRIBUTES_AT = 11;
const CASE_AT = 12;
const END = 0x00;
const DELETED = 0xe5;
const LABEL = 0x08;
const DIRECTORY = 0x10;
const LONG_NAME = 0x0f;
const ATTRIBUTE_MASK = 0x3f;
const ATTRIBUTES: readonly (readonly [number, FileAttribute])[] = [
  [0x01, 'readonly'],
  [0x02, 'hidden'],
  [0x04, 'system'],
  [0x20, 'archive'],
];

/** A file or directory of a FAT volume; `firstCluster` is 0 where it has none. */
export interface FatNode extends FileNode {
  readonly firstCluster: number;
}

/** A name found in a directory, and where the entry of 32 bytes is. */
export interface FoundEntry {
  readonly name: string;
  readonly entry: Uint8Array;
  /** Of the entry on the volume. */
  readonly position: number;
}

/** Reads directories piece by piece: names may lie across pieces. */
export class DirectoryReader {
  readonly #longName = new LongName();
  /** Whether the entry that ends a directory was met. */
  ended = false;
  /** The label that was met, its eleven bytes; only the root directory has one. */
  label: Uint8Array | undefined;

  /** The names in a piece of whole entries that lies at `position` on the volume. */
  *entries(piece: Uint8Array, position: number): Generator<FoundEntry> {
    for (let at = 0; at + ENTRY_BYTES <= piece.length && !this.ended; at += ENTRY_BYTES) {
      const entry = piece.subarray(at, at + ENTRY_BYTES);
      const name = this.#nameOf(entry);
      if (name !== undefined && name !== '' && name !== '.' && name !== '..') yield { name, entry, position: position + at };
    }
  }

  #nameOf(entry: Uint8Array): string | undefined {
    const attributes = entry[ATTRIBUTES_AT]! & ATTRIBUTE_MASK;
    if (entry[0] === END) this.ended = true;
    if (entry[0] === END || entry[0] === DELETED) this.#longName.forget();
    else if (attributes === LONG_NAME) this.#longName.take(entry);
    else if (attributes & LABEL) {
      this.#longName.forget();
      if (isLabel(entry)) this.label ??= entry.slice(0, ATTRIBUTES_AT);
    } else return this.#longName.of(entry) ?? shortNameText(entry, entry[CASE_AT]!);
    return undefined;
  }
}

/** A label has no content: what is marked as one and has, some systems do not show at all. */
function isLabel(entry: Uint8Array): boolean {
  const { attributes, clusterHigh, clusterLow } = ENTRY.read(entry);
  return (attributes & (LABEL | DIRECTORY)) === LABEL && clusterHigh === 0 && clusterLow === 0;
}

export const isDirectory = (entry: Uint8Array) => (entry[ATTRIBUTES_AT]! & DIRECTORY) !== 0;

/** What an entry tells of its file. Times are those of some local clock, taken as UTC; the day of access has no time. */
export function nodeOf({ entry, position }: FoundEntry, isFat32: boolean): FatNode {
  const fields = ENTRY.read(entry);
  const directory = isDirectory(entry);
  const modified = fileTimeFromDos({ date: fields.modifiedDate, time: fields.modifiedTime });
  const created = fileTimeFromDos({ date: fields.createdDate, time: fields.createdTime, hundredths: fields.createdHundredths });
  const accessed = fileTimeFromDos({ date: fields.accessedDate, time: 0 });
  return {
    id: String(position),
    type: directory ? 'dir' : 'file',
    size: directory ? 0 : fields.sizeBytes,
    ...(modified !== undefined && { modified }),
    ...(created !== undefined && { created }),
    ...(accessed !== undefined && { accessed }),
    links: 1,
    attributes: ATTRIBUTES.filter(([bit]) => fields.attributes & bit).map(([, name]) => name),
    firstCluster: fields.clusterLow + (isFat32 ? fields.clusterHigh * 0x10000 : 0),
  };
}
