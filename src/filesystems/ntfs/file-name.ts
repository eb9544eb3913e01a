import { utf16Text } from './attributes.ts';
import { damaged, fits } from './ntfs-damage.ts';

/** Namespace of a short name that stands beside a long one. */
const DOS = 2;
const NAME_AT = 66;
const IS_REPARSE_POINT = 0x400;
const HAS_DIRECTORY_INDEX = 0x1000_0000;

/** A file name attribute, which is also the key of a directory's index (libfsntfs, 6.6 The file name attribute). */
export interface FileName {
  readonly name: string;
  /** A short name (`PROGRA~1`) that only stands for a long one. */
  readonly isShort: boolean;
  /** As copied from the file when it was last closed under this name. */
  readonly isDirectory: boolean;
  readonly reparseTag: number | undefined;
}

export function parseFileName(key: Uint8Array): FileName {
  const nameBytes = key.length < NAME_AT ? -1 : 2 * key[64]!;
  if (!fits(NAME_AT, nameBytes, key.length)) throw damaged('a file name is cut off');
  const view = new DataView(key.buffer, key.byteOffset, key.length);
  const flags = view.getUint32(56, true);
  return {
    name: utf16Text(key, NAME_AT, nameBytes),
    isShort: key[65] === DOS,
    isDirectory: (flags & HAS_DIRECTORY_INDEX) !== 0,
    reparseTag: (flags & IS_REPARSE_POINT) === 0 ? undefined : view.getUint32(60, true),
  };
}
