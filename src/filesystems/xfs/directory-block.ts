import { ascii, struct, u16be, u32be } from '../../lib/struct.ts';
import { type NameEntry, nameEntry } from './directory-entry.ts';
import { damaged } from './xfs-damage.ts';
import type { XfsVolume } from './xfs-volume.ts';

/** XFS Algorithms & Data Structures, Block Directories and Leaf Directories: heads of 16 and 64 bytes, then entries and free pieces. */
const HEAD = struct(16, { magic: ascii(0, 4) });
const HEAD_5_SIZE = 64;
const HEAD_5_FIELDS = { checksumAt: 4, blockAt: 8 };
/** A directory of one block has its index behind its entries; the last eight bytes say how large it is. */
const TAIL = struct(8, { count: u32be(0) });
const INDEX_ENTRY_SIZE = 8;
const FREE_PIECE = struct(4, { tag: u16be(0), length: u16be(2) });
const FREE_TAG = 0xffff;
/** Inode, length of the name; a tag of two bytes ends an entry. */
const LEAST_ENTRY = 16;

/** Judges a block of entries that was read from `position`; tells whether it is the only one and so holds its own index. */
export function checkDirectoryBlock(volume: XfsVolume, bytes: Uint8Array, position: number, what: string): { readonly isSingle: boolean } {
  const isVersion5 = volume.superblock.version === 5;
  const { magic } = HEAD.read(bytes);
  const isSingle = magic === (isVersion5 ? 'XDB3' : 'XD2B');
  if (!isSingle && magic !== (isVersion5 ? 'XDD3' : 'XD2D')) throw damaged(`${what} holds no names`);
  volume.check(bytes, HEAD_5_FIELDS, position, what);
  return { isSingle };
}

/** The names in a block of a directory, `.` and `..` among them. */
export function* directoryBlockEntries(
  volume: XfsVolume,
  bytes: Uint8Array,
  isSingle: boolean,
  what: string,
): Generator<NameEntry & { readonly at: number }> {
  const { hasFileTypes } = volume.superblock;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = isSingle ? endOfEntries(bytes, what) : bytes.length;
  let at = volume.superblock.version === 5 ? HEAD_5_SIZE : HEAD.size;
  while (at < end) {
    if (at + LEAST_ENTRY > end && at + 8 > end) throw damaged(`${what}: an entry ends outside`);
    const piece = FREE_PIECE.read(bytes, at);
    if (piece.tag === FREE_TAG) {
      if (piece.length < 8 || piece.length % 8 !== 0 || piece.length > end - at) throw damaged(`${what}: a free piece ends outside`);
      at += piece.length;
      continue;
    }
    const entry = entryAt(bytes, view, at, end, hasFileTypes);
    if (!entry) throw damaged(`${what}: an entry ends outside`);
    yield { ...entry.name, at };
    at += entry.size;
  }
}

/** The entry at `at`, which may come from an index; `undefined` when it does not fit before `end`. */
export function entryAt(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
  hasFileTypes: boolean,
): { readonly name: NameEntry; readonly size: number } | undefined {
  if (at + LEAST_ENTRY > end) return undefined;
  const length = bytes[at + 8]!;
  const nameEnd = at + 9 + length;
  const size = Math.ceil((9 + length + (hasFileTypes ? 1 : 0) + 2) / 8) * 8;
  if (length === 0 || at + size > end) return undefined;
  const inode = Number(view.getBigUint64(at));
  return { name: nameEntry(bytes.slice(at + 9, nameEnd), inode, hasFileTypes ? bytes[nameEnd] : undefined), size };
}

function endOfEntries(bytes: Uint8Array, what: string): number {
  const { count } = TAIL.read(bytes, bytes.length - TAIL.size);
  const end = bytes.length - TAIL.size - count * INDEX_ENTRY_SIZE;
  if (end < HEAD.size) throw damaged(`${what}: its index is larger than itself`);
  return end;
}
