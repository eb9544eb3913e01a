import { type FileTime, fileTimeFromWindows } from '../../lib/file-time.ts';
import type { FileAttribute, FileNode, FileStream } from '../file-system.ts';
import { ATTRIBUTE, type Attribute } from './attributes.ts';
import { parseFileName } from './file-name.ts';
import { findAttribute, type NtfsFile } from './ntfs-file.ts';
import { parseReparsePoint, type ReparsePoint } from './reparse-point.ts';

/** Bits of the attributes ([MS-FSCC] 2.6). */
const FLAGS: readonly (readonly [number, FileAttribute])[] = [
  [0x1, 'readonly'],
  [0x2, 'hidden'],
  [0x4, 'system'],
  [0x20, 'archive'],
  [0x200, 'sparse'],
  [0x400, 'reparse'],
  [0x800, 'compressed'],
  [0x1000, 'offline'],
  [0x4000, 'encrypted'],
];
const OFFLINE = 0x1000;
const ENCRYPTED = 0x4000;
const RECALL_ON_DATA_ACCESS = 0x400000;

/** The stream that holds the content of a file compressed by the Windows overlay filter. */
export const WOF_STREAM = 'WofCompressedData';

/** A file as the port tells of it. `reparseBytes` are those of its reparse point. */
export function describeFile(file: NtfsFile, reparseBytes: Uint8Array | undefined): FileNode {
  const { record } = file;
  const { flags, ...times } = standardInformation(file);
  const reparse = reparseBytes && parseReparsePoint(reparseBytes);
  const data = findAttribute(file, ATTRIBUTE.data);
  const type = typeOf(file, reparse);
  const isWof = reparse?.kind === 'wof' && findAttribute(file, ATTRIBUTE.data, WOF_STREAM) !== undefined;
  const isEncrypted = isEncryptedByEfs(file, flags, data);
  const attributes = attributesOf(isEncrypted ? flags | ENCRYPTED : flags, reparse, isWof);
  const streams = streamsOf(file, isWof);
  const unreadable = type === 'file' ? whyUnreadable(isEncrypted, flags, data, reparse, isWof) : undefined;
  return {
    id: String(record.number),
    type,
    size: sizeOf(type, data, reparse),
    ...times,
    links: Math.max(1, record.linkCount - (hasShortName(file) ? 1 : 0)),
    attributes,
    ...(streams.length > 0 && { streams }),
    ...(reparse?.kind === 'link' && { target: reparse.target, junction: reparse.junction }),
    ...(reparse?.kind === 'special' && { special: reparse.special }),
    ...(unreadable !== undefined && { unreadable }),
  };
}

function typeOf({ record }: NtfsFile, reparse: ReparsePoint | undefined): FileNode['type'] {
  if (reparse?.kind === 'link') return 'link';
  if (reparse?.kind === 'special') return 'other';
  return record.isDirectory ? 'dir' : 'file';
}

function sizeOf(type: FileNode['type'], data: Attribute | undefined, reparse: ReparsePoint | undefined): number {
  if (reparse?.kind === 'link') return Buffer.byteLength(reparse.target);
  return type === 'dir' || !data ? 0 : streamSize(data);
}

const streamSize = (data: Attribute): number => (data.value !== undefined ? data.value.length : data.sizeBytes);

/** Times and attributes (libfsntfs, 6.4 The standard information attribute); all absent where it is. */
function standardInformation(file: NtfsFile): {
  flags: number;
  created?: FileTime;
  modified?: FileTime;
  changed?: FileTime;
  accessed?: FileTime;
} {
  const value = findAttribute(file, ATTRIBUTE.standardInformation)?.value;
  if (!value || value.length < 36) return { flags: 0 };
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  const time = (at: number): FileTime | undefined => fileTimeFromWindows(view.getBigUint64(at, true));
  const [created, modified, changed, accessed] = [time(0), time(8), time(16), time(24)];
  return {
    flags: view.getUint32(32, true),
    ...(created !== undefined && { created }),
    ...(modified !== undefined && { modified }),
    ...(changed !== undefined && { changed }),
    ...(accessed !== undefined && { accessed }),
  };
}

/** What the overlay filter compresses shows under Windows as a compressed file: neither sparse nor with a reparse point. */
function attributesOf(flags: number, reparse: ReparsePoint | undefined, isWof: boolean): FileAttribute[] {
  const attributes = FLAGS.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
  if (isWof) return [...attributes.filter((name) => name !== 'reparse' && name !== 'sparse' && name !== 'compressed'), 'compressed'];
  if (reparse && !attributes.includes('reparse')) attributes.push('reparse');
  return reparse?.kind === 'deduplicated' ? [...attributes, 'deduplicated'] : attributes;
}

function streamsOf({ attributes }: NtfsFile, isWof: boolean): FileStream[] {
  return attributes
    .filter(({ type, name }) => type === ATTRIBUTE.data && name !== '' && !(isWof && name === WOF_STREAM))
    .map((data) => ({ name: data.name, size: streamSize(data) }));
}

function isEncryptedByEfs(file: NtfsFile, flags: number, data: Attribute | undefined): boolean {
  return (flags & ENCRYPTED) !== 0 || data?.encrypted === true || findAttribute(file, ATTRIBUTE.loggedUtilityStream, '$EFS') !== undefined;
}

function whyUnreadable(
  isEncrypted: boolean,
  flags: number,
  data: Attribute | undefined,
  reparse: ReparsePoint | undefined,
  isWof: boolean,
): string | undefined {
  if (isEncrypted) return 'it is encrypted by EFS, and only its user has the key';
  if (reparse?.kind === 'deduplicated')
    return 'it is deduplicated: its content lies in the chunk store of Windows Server, which only Windows reads';
  if (reparse?.kind === 'wim') return 'it is kept in a WIM image, which only Windows reads';
  if (reparse?.kind === 'wof' && !isWof) return 'it is compressed by the Windows overlay filter, but its compressed data is missing';
  if (reparse?.kind === 'unknown-wof') return 'it is kept by the Windows overlay filter in a way that is not known';
  const isElsewhere = (flags & (OFFLINE | RECALL_ON_DATA_ACCESS)) !== 0;
  if (reparse?.kind === 'cloud' && (isElsewhere || isEmptyHole(data)))
    return 'it is kept in the cloud (OneDrive or the like), not on this disk';
  if (reparse?.kind === 'unknown' && isElsewhere) return 'it is offline: kept elsewhere by a program that moves old files away';
  return undefined;
}

/** A size without a byte of its own on the disk. */
function isEmptyHole(data: Attribute | undefined): boolean {
  return data?.value === undefined && data !== undefined && data.sizeBytes > 0 && data.initializedBytes === 0;
}

/** A file has at most one short name that only stands for its long one. */
function hasShortName({ attributes }: NtfsFile): boolean {
  return attributes.some(({ type, value }) => type === ATTRIBUTE.fileName && value !== undefined && value[65] === 2);
}

/** A name of the file, for messages. */
export function anyNameOf(file: NtfsFile): string {
  const found = file.attributes.find(({ type, value }) => type === ATTRIBUTE.fileName && value !== undefined && value[65] !== 2);
  return found?.value ? parseFileName(found.value).name : `file record ${file.record.number}`;
}
