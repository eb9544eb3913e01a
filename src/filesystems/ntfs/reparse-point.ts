import type { FileNode } from '../file-system.ts';
import { utf16Text } from './attributes.ts';
import { fits } from './ntfs-damage.ts';

/** Tags ([MS-FSCC] 2.1.2.1) whose meaning is known here. */
const MOUNT_POINT = 0xa0000003;
const SYMBOLIC_LINK = 0xa000000c;
const LX_SYMBOLIC_LINK = 0xa000001d;
const DEDUPLICATED = 0x80000013;
const WOF = 0x80000017;
/** OneDrive and its peers: 16 tags that differ in one digit. */
const CLOUD = 0x9000001a;
const CLOUD_MASK = 0xffff0fff;
/** What Linux under Windows keeps. */
const SPECIAL = new Map<number, NonNullable<FileNode['special']>>([
  [0x80000023, 'socket'],
  [0x80000024, 'fifo'],
  [0x80000025, 'char-device'],
  [0x80000026, 'block-device'],
]);

const HEADER_BYTES = 8;
const NT_PREFIX = '\\??\\';
const WOF_PROVIDER_WIM = 1;
const WOF_PROVIDER_FILE = 2;

/** What a reparse point makes of its file. */
export type ReparsePoint =
  | { readonly kind: 'link'; readonly target: string; readonly junction: boolean }
  | { readonly kind: 'special'; readonly special: NonNullable<FileNode['special']> }
  | { readonly kind: 'deduplicated' }
  | { readonly kind: 'cloud' }
  /** Compressed by the Windows overlay filter: `algorithm` as in FILE_PROVIDER_EXTERNAL_INFO. */
  | { readonly kind: 'wof'; readonly algorithm: 0 | 1 | 2 | 3 }
  | { readonly kind: 'wim' }
  | { readonly kind: 'unknown-wof' }
  | { readonly kind: 'unknown' };

/** What kind of file the tag of a directory entry makes, without reading the file. */
export function typeOfTag(tag: number, isDirectory: boolean): FileNode['type'] {
  if (tag === MOUNT_POINT || tag === SYMBOLIC_LINK || tag === LX_SYMBOLIC_LINK) return 'link';
  if (SPECIAL.has(tag)) return 'other';
  return isDirectory ? 'dir' : 'file';
}

/** Parses a reparse point as stored ([MS-FSCC] 2.1.2). A link that is damaged has an empty target. */
export function parseReparsePoint(bytes: Uint8Array): ReparsePoint {
  if (bytes.length < HEADER_BYTES) return { kind: 'unknown' };
  const tag = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0, true);
  const data = bytes.subarray(HEADER_BYTES);
  if (tag === MOUNT_POINT) return { kind: 'link', target: substituteName(data, 8), junction: true };
  if (tag === SYMBOLIC_LINK) return { kind: 'link', target: substituteName(data, 12), junction: false };
  if (tag === LX_SYMBOLIC_LINK) return { kind: 'link', target: new TextDecoder().decode(data.subarray(4)), junction: false };
  const special = SPECIAL.get(tag);
  if (special) return { kind: 'special', special };
  if (tag === DEDUPLICATED) return { kind: 'deduplicated' };
  if (tag === WOF) return wofOf(data);
  // `>>> 0`: bit operations answer signed numbers.
  return { kind: (tag & CLOUD_MASK) >>> 0 === CLOUD ? 'cloud' : 'unknown' };
}

/** [MS-FSCC] 2.1.2.4 and 2.1.2.5: offset and length of the name stand first, names from `buffer` on. */
function substituteName(data: Uint8Array, buffer: number): string {
  if (data.length < buffer) return '';
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const from = buffer + view.getUint16(0, true);
  const length = view.getUint16(2, true) & ~1;
  if (!fits(from, length, data.length)) return '';
  const name = utf16Text(data, from, length);
  return name.startsWith(NT_PREFIX) ? name.slice(NT_PREFIX.length) : name;
}

/** WOF_EXTERNAL_INFO, then FILE_PROVIDER_EXTERNAL_INFO_V1 (Windows SDK, ntifs.h): version, provider; version, algorithm. */
function wofOf(data: Uint8Array): ReparsePoint {
  if (data.length < 8) return { kind: 'unknown-wof' };
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const provider = view.getUint32(4, true);
  if (provider === WOF_PROVIDER_WIM) return { kind: 'wim' };
  const algorithm = provider === WOF_PROVIDER_FILE && data.length >= 16 ? view.getUint32(12, true) : undefined;
  return algorithm === 0 || algorithm === 1 || algorithm === 2 || algorithm === 3 ? { kind: 'wof', algorithm } : { kind: 'unknown-wof' };
}
