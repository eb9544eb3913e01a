import type { FileType } from '../file-system.ts';

/** A name in a directory, as the directory has it. */
export interface NameEntry {
  readonly name: Uint8Array;
  readonly inode: number;
  readonly type?: FileType;
}

/** What directories call types (XFS Algorithms & Data Structures, Directories); 0 stands for one that is not told. */
const TYPES: readonly (FileType | undefined)[] = [undefined, 'file', 'dir', 'other', 'other', 'other', 'other', 'link', 'other'];

/** An entry; `code` is its type where the directory tells types. */
export function nameEntry(name: Uint8Array, inode: number, code: number | undefined): NameEntry {
  const type = code === undefined ? undefined : TYPES[code];
  return { name, inode, ...(type !== undefined && { type }) };
}

/** `.` and `..`, which blocks of a directory hold as names. */
export const isDots = (name: Uint8Array) => name.length <= 2 && name.length > 0 && name.every((byte) => byte === 0x2e);
