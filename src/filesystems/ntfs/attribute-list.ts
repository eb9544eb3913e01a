import { utf16Text } from './attributes.ts';
import { type RecordReference, referenceAt } from './file-record.ts';
import { damaged, fits, sizeAt } from './ntfs-damage.ts';

const HEADER_BYTES = 26;
/** Windows keeps it at 256 KiB at most. */
export const MOST_LIST_BYTES = 1024 * 1024;

/** Which record holds an attribute, or the part of one that begins at cluster `firstVcn` (libfsntfs, 6.5 The attribute list). */
export interface AttributeListEntry {
  readonly type: number;
  readonly name: string;
  readonly firstVcn: number;
  readonly record: RecordReference;
}

export function parseAttributeList(bytes: Uint8Array): AttributeListEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries: AttributeListEntry[] = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const length = view.getUint16(at + 4, true);
    const nameBytes = 2 * bytes[at + 6]!;
    const nameAt = bytes[at + 7]!;
    if (length < HEADER_BYTES || !fits(at, length, bytes.length)) throw damaged(`an attribute list has an entry of ${length} bytes`);
    if (nameBytes > 0 && !fits(nameAt, nameBytes, length)) throw damaged('an attribute list has a name that leaves its entry');
    entries.push({
      type: view.getUint32(at, true),
      name: nameBytes === 0 ? '' : utf16Text(bytes, at + nameAt, nameBytes),
      firstVcn: sizeAt(view, at + 8, 'a first cluster in an attribute list'),
      record: referenceAt(view, at + 16),
    });
    at += length;
  }
  return entries;
}
