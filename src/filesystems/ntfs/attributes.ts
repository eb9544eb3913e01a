import { damaged, fits, sizeAt } from './ntfs-damage.ts';

/** Types of attributes (libfsntfs, 6.1 Attribute types). */
export const ATTRIBUTE = {
  standardInformation: 0x10,
  attributeList: 0x20,
  fileName: 0x30,
  securityDescriptor: 0x50,
  volumeName: 0x60,
  volumeInformation: 0x70,
  data: 0x80,
  indexRoot: 0x90,
  indexAllocation: 0xa0,
  bitmap: 0xb0,
  reparsePoint: 0xc0,
  loggedUtilityStream: 0x100,
} as const;

const END_OF_ATTRIBUTES = 0xffffffff;
/** Flags of an attribute. */
const COMPRESSION_METHOD = 0x00ff;
const ENCRYPTED = 0x4000;
const RESIDENT_HEADER_BYTES = 24;
const NON_RESIDENT_HEADER_BYTES = 64;

/** What stands in the record itself. */
export interface ResidentAttribute {
  readonly type: number;
  readonly name: string;
  readonly encrypted: boolean;
  readonly value: Uint8Array;
}

/** What stands in clusters, or one part of it: the sizes are those of the whole and only in its first part (`firstVcn` 0) of meaning. */
export interface NonResidentAttribute {
  readonly type: number;
  readonly name: string;
  readonly encrypted: boolean;
  readonly value: undefined;
  /** 0 for none, 1 for LZNT1; others are not known. */
  readonly compression: number;
  /** Clusters of a compression unit; 1 where nothing is compressed. */
  readonly unitClusters: number;
  readonly firstVcn: number;
  /** One past the last cluster of this part. */
  readonly endVcn: number;
  readonly pairs: Uint8Array;
  readonly sizeBytes: number;
  /** Bytes that were ever written; beyond them all are zero. */
  readonly initializedBytes: number;
}

export type Attribute = ResidentAttribute | NonResidentAttribute;

/** The attributes that stand in `record` from `start` to `end`, in their order. Values are views into it. */
export function parseAttributes(record: Uint8Array, start: number, end: number, what: string): Attribute[] {
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  const attributes: Attribute[] = [];
  for (let at = start; at + 4 <= end; ) {
    const type = view.getUint32(at, true);
    if (type === END_OF_ATTRIBUTES) return attributes;
    const length = at + 8 <= end ? view.getUint32(at + 4, true) : 0;
    if (length < RESIDENT_HEADER_BYTES || !fits(at, length, end)) throw damaged(`${what} has an attribute of ${length} bytes`);
    attributes.push(parseAttribute(record.subarray(at, at + length), what));
    at += length;
  }
  return attributes;
}

function parseAttribute(bytes: Uint8Array, what: string): Attribute {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const nameBytes = 2 * bytes[9]!;
  const nameAt = view.getUint16(10, true);
  if (nameBytes > 0 && !fits(nameAt, nameBytes, bytes.length)) throw damaged(`${what} has an attribute whose name leaves it`);
  const flags = view.getUint16(12, true);
  const shared = {
    type: view.getUint32(0, true),
    name: nameBytes === 0 ? '' : utf16Text(bytes, nameAt, nameBytes),
    encrypted: (flags & ENCRYPTED) !== 0,
  };
  if (bytes[8] !== 0) return { ...shared, ...parseNonResident(bytes, view, flags, what) };
  const size = view.getUint32(16, true);
  const from = view.getUint16(20, true);
  if (!fits(from, size, bytes.length)) throw damaged(`${what} has an attribute whose value leaves it`);
  return { ...shared, value: bytes.subarray(from, from + size) };
}

function parseNonResident(bytes: Uint8Array, view: DataView, flags: number, what: string) {
  const pairsAt = bytes.length < NON_RESIDENT_HEADER_BYTES ? 0 : view.getUint16(32, true);
  if (pairsAt < NON_RESIDENT_HEADER_BYTES || pairsAt > bytes.length) throw damaged(`${what} has an attribute without a run list`);
  const firstVcn = sizeAt(view, 16, 'a first cluster');
  const endVcn = isMinusOne(view, 24) ? 0 : sizeAt(view, 24, 'a last cluster') + 1;
  if (firstVcn > endVcn) throw damaged(`${what} has an attribute that ends before it begins`);
  const compression = flags & COMPRESSION_METHOD;
  const unitShift = compression === 0 ? 0 : view.getUint16(34, true);
  if (unitShift > 16) throw damaged(`${what} has compression units of 2^${unitShift} clusters`);
  const isFirst = firstVcn === 0;
  return {
    value: undefined,
    compression,
    unitClusters: 2 ** unitShift,
    firstVcn,
    endVcn,
    pairs: bytes.subarray(pairsAt),
    sizeBytes: isFirst ? sizeAt(view, 48, `the size of ${what}`) : 0,
    initializedBytes: isFirst ? sizeAt(view, 56, `the initialized size of ${what}`) : 0,
  };
}

/** The last cluster of what has none. */
function isMinusOne(view: DataView, at: number): boolean {
  return view.getInt32(at, true) === -1 && view.getInt32(at + 4, true) === -1;
}

/** UTF-16 as it is, lone surrogates too. `length` counts bytes and is even. */
export function utf16Text(bytes: Uint8Array, at: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString('utf16le');
}
