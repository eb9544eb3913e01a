import type { ByteRange } from '../../lib/byte-range.ts';
import { crc32cWithout } from '../../lib/crc32c.ts';
import { MabsError } from '../../lib/errors.ts';
import { ascii, guid, safeNumber, struct, type Unpacked, u32le, u64le } from '../../lib/struct.ts';
import { isWholeMegabytes, KIB, MIB } from './vhdx-units.ts';

/** MS-VHDX 2.2.3, Region Table: two equal copies of 64 KiB. */
export const REGION_TABLE_SIZE = 64 * KIB;
export const REGION_TABLE_POSITIONS = [192 * KIB, 256 * KIB] as const;

const TABLE_HEADER = struct(16, { signature: ascii(0, 4), checksum: u32le(4), entryCount: u32le(8) });
const ENTRY = struct(32, { id: guid(0), fileOffset: u64le(16), length: u32le(24), required: u32le(28) });
const MAX_ENTRIES = 2047;

const BAT_REGION = '2dc27766-f623-4200-9d64-115e9bfd4a08';
const METADATA_REGION = '8b7ca206-4790-4b9a-b8fe-575f050f886e';

/** The two regions that every file has. */
export interface VhdxRegions {
  readonly bat: ByteRange;
  readonly metadata: ByteRange;
}

export class VhdxRegionError extends MabsError {
  readonly code = 'MABS-VHDX-REGION';
  readonly hint =
    'The region table of the image is damaged or made by an unknown program: recover this disk from its newest recovery point.';
  override readonly kind = 'damaged';
  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`);
  }
}

/**
 * The regions as the first intact copy of the table tells them. Refuses unknown regions that are required, regions that
 * overlap each other, the headers or `log`, and regions that reach past `fileSize`.
 */
export function parseRegions(path: string, copies: readonly Uint8Array[], fileSize: number, log: ByteRange | undefined): VhdxRegions {
  const table = copies.find(isIntact);
  if (!table) throw new VhdxRegionError(path, 'neither of its two region tables is intact');
  const found = new Map<string, ByteRange>();
  for (const entry of entriesOf(table)) {
    if (found.has(entry.id)) throw new VhdxRegionError(path, `region ${entry.id} is named twice`);
    const known = entry.id === BAT_REGION || entry.id === METADATA_REGION;
    if (!known && entry.required & 1) throw new VhdxRegionError(path, `needs region ${entry.id}, which is not known`);
    found.set(entry.id, checkedRange(path, entry, fileSize));
  }
  checkApart(path, [...found.values(), ...(log ? [log] : [])]);
  const bat = found.get(BAT_REGION);
  const metadata = found.get(METADATA_REGION);
  if (!bat || !metadata) throw new VhdxRegionError(path, `has no ${bat ? 'metadata' : 'block allocation table'} region`);
  return { bat, metadata };
}

/** The bytes of a region table for these two regions. */
export function encodeRegions(regions: VhdxRegions): Uint8Array {
  const bytes = new Uint8Array(REGION_TABLE_SIZE);
  TABLE_HEADER.write(bytes, { signature: 'regi', entryCount: 2 });
  const rows = [
    { id: BAT_REGION, ...regions.bat },
    { id: METADATA_REGION, ...regions.metadata },
  ];
  rows.forEach(({ id, offset, length }, index) => {
    ENTRY.write(bytes, { id, fileOffset: BigInt(offset), length, required: 1 }, TABLE_HEADER.size + index * ENTRY.size);
  });
  TABLE_HEADER.write(bytes, { checksum: crc32cWithout(bytes, TABLE_HEADER.offsetOf.checksum) });
  return bytes;
}

function isIntact(table: Uint8Array): boolean {
  const { signature, checksum, entryCount } = TABLE_HEADER.read(table);
  return signature === 'regi' && entryCount <= MAX_ENTRIES && checksum === crc32cWithout(table, TABLE_HEADER.offsetOf.checksum);
}

function* entriesOf(table: Uint8Array): Generator<Unpacked<typeof ENTRY>> {
  const { entryCount } = TABLE_HEADER.read(table);
  for (let index = 0; index < entryCount; index++) yield ENTRY.read(table, TABLE_HEADER.size + index * ENTRY.size);
}

function checkedRange(path: string, entry: Unpacked<typeof ENTRY>, fileSize: number): ByteRange {
  const offset = safeNumber(entry.fileOffset);
  const { length } = entry;
  const placed = offset !== undefined && offset >= MIB && isWholeMegabytes(offset) && length > 0 && isWholeMegabytes(length);
  if (!placed) throw new VhdxRegionError(path, `region ${entry.id} is placed at ${entry.fileOffset}, ${length} bytes long`);
  if (length > fileSize - offset) throw new VhdxRegionError(path, `region ${entry.id} reaches past the end of the file`);
  return { offset, length };
}

function checkApart(path: string, regions: readonly ByteRange[]): void {
  const sorted = regions.toSorted((a, b) => a.offset - b.offset);
  for (let index = 1; index < sorted.length; index++) {
    const former = sorted[index - 1]!;
    if (former.offset + former.length > sorted[index]!.offset) throw new VhdxRegionError(path, 'its regions overlap');
  }
}
