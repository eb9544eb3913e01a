import { type NameEntry, nameEntry } from './directory-entry.ts';
import { damaged } from './xfs-damage.ts';

/** The names of a directory that lies in its inode (XFS Algorithms & Data Structures, Short Form Directories). */
export function* shortFormEntries(fork: Uint8Array, size: number, hasFileTypes: boolean, what: string): Generator<NameEntry> {
  const bytes = fork.subarray(0, size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  // Inode numbers take eight bytes when one of them needs it.
  const numberSize = bytes[1] ? 8 : 4;
  const count = bytes[0] ?? 0;
  let at = 2 + numberSize;
  if (at > bytes.length) throw damaged(`${what}: a directory in ${bytes.length} bytes`);
  for (let index = 0; index < count; index++) {
    const nameAt = at + 3;
    const nameLength = bytes[at] ?? 0;
    const numberAt = nameAt + nameLength + (hasFileTypes ? 1 : 0);
    if (nameLength === 0 || numberAt + numberSize > bytes.length) throw damaged(`${what}: an entry ends outside`);
    const inode = numberSize === 8 ? Number(view.getBigUint64(numberAt)) : view.getUint32(numberAt);
    yield nameEntry(bytes.slice(nameAt, nameAt + nameLength), inode, hasFileTypes ? bytes[numberAt - 1] : undefined);
    at = numberAt + numberSize;
  }
}
