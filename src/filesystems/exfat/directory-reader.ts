import { struct, u8, u32le, u64le } from '../../lib/struct.ts';
import { ENTRY_BYTES, type EntrySet } from './entry-set.ts';

/** Entries of the root directory that tell of the volume (exFAT specification 1.00, 7.1 and 7.2), and of the label (7.3). */
const STREAMLIKE = struct(ENTRY_BYTES, { flags: u8(1), checksum: u32le(4), firstCluster: u32le(20), sizeBytes: u64le(24) });
const MOST_LABEL_UNITS = 11;

const END = 0x00;
const BITMAP = 0x81;
const UP_CASE = 0x82;
const LABEL = 0x83;
const FILE = 0x85;
/** Bits of a type: in use, and one that belongs to the entry before. */
const IN_USE = 0x80;
const SECONDARY = 0x40;

/** What the root directory tells of the volume. */
export interface VolumeEntry {
  readonly kind: 'bitmap' | 'up-case' | 'label';
  /** Of a bitmap: whether it is the second one of TexFAT. */
  readonly second: boolean;
  /** Of the up-case table. */
  readonly checksum: number;
  readonly firstCluster: number;
  readonly sizeBytes: bigint;
  /** Of the label. */
  readonly text: string;
}

/** Reads a directory piece by piece; the entries of a file may lie across pieces. */
export class DirectoryReader {
  /** Whether the entry that ends a directory was met. */
  ended = false;
  readonly volumeEntries: VolumeEntry[] = [];
  #set: { bytes: Uint8Array; filled: number; position: number } | undefined;

  /** The sets in a piece of whole entries that lies at `position` on the volume. A set that breaks off comes as far as it is there. */
  *sets(piece: Uint8Array, position: number): Generator<EntrySet> {
    for (let at = 0; at + ENTRY_BYTES <= piece.length && !this.ended; at += ENTRY_BYTES) {
      const entry = piece.subarray(at, at + ENTRY_BYTES);
      const type = entry[0]!;
      const belongs = this.#set && (type & (IN_USE | SECONDARY)) === (IN_USE | SECONDARY);
      if (!belongs) yield* this.finish();
      if (type === END) this.ended = true;
      else if (belongs) this.#add(entry);
      else if (type === FILE) this.#begin(entry, position + at);
      else if (this.volumeEntries.length < 8) this.#note(entry);
      if (this.#set?.filled === this.#set?.bytes.length) yield* this.finish();
    }
  }

  /** The set that was begun last, at the end of its directory. */
  *finish(): Generator<EntrySet> {
    const set = this.#set;
    this.#set = undefined;
    if (set) yield { bytes: set.bytes.subarray(0, set.filled), position: set.position };
  }

  #begin(entry: Uint8Array, position: number): void {
    this.#set = { bytes: new Uint8Array(ENTRY_BYTES * (1 + entry[1]!)), filled: 0, position };
    this.#add(entry);
  }

  #add(entry: Uint8Array): void {
    this.#set!.bytes.set(entry, this.#set!.filled);
    this.#set!.filled += ENTRY_BYTES;
  }

  #note(entry: Uint8Array): void {
    const kind = entry[0] === BITMAP ? 'bitmap' : entry[0] === UP_CASE ? 'up-case' : entry[0] === LABEL ? 'label' : undefined;
    if (!kind) return;
    const { flags, checksum, firstCluster, sizeBytes } = STREAMLIKE.read(entry);
    const units = new Uint16Array(entry.slice(2, 2 + Math.min(flags, MOST_LABEL_UNITS) * 2).buffer);
    this.volumeEntries.push({ kind, second: (flags & 1) !== 0, checksum, firstCluster, sizeBytes, text: String.fromCharCode(...units) });
  }
}
