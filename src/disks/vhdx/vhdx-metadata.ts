import { MabsError } from '../../lib/errors.ts';
import { ascii, guid, safeNumber, struct, u16le, u32le, u64le } from '../../lib/struct.ts';
import { encodeLocator, type ParentLocator, parseLocator } from './parent-locator.ts';
import { KIB, MAX_VIRTUAL_SIZE, MIB } from './vhdx-units.ts';

/** MS-VHDX 2.6.1, Metadata Table: 64 KiB at the start of the metadata region; the items follow it. */
export const METADATA_TABLE_SIZE = 64 * KIB;
const TABLE_HEADER = struct(32, { signature: ascii(0, 8), entryCount: u16le(10) });
const ENTRY = struct(32, { id: guid(0), offset: u32le(16), length: u32le(20), flags: u32le(24) });
const MAX_ENTRIES = 2047;
const MAX_ITEM = MIB;
const IS_VIRTUAL_DISK = 2;
const IS_REQUIRED = 4;

/** MS-VHDX 2.6.2, Known Items. */
const ITEM = {
  fileParameters: 'caa16737-fa36-4d43-b3b6-33f0aa44e76b',
  virtualSize: '2fa54224-cd1b-4876-b211-5dbed83bf4b8',
  diskId: 'beca12ab-b2e6-4523-93ef-c309e000c746',
  logicalSectorSize: '8141bf1d-a96f-4709-ba47-f233a8faab5f',
  physicalSectorSize: 'cda348c7-445d-4471-9cc9-e9885251c556',
  parentLocator: 'a8d35f2d-b30b-454d-abf7-d3d84834ab0c',
} as const;

const FILE_PARAMETERS = struct(8, { blockSize: u32le(0), flags: u32le(4) });
const VIRTUAL_SIZE = struct(8, { bytes: u64le(0) });
const DISK_ID = struct(16, { id: guid(0) });
const SECTOR_SIZE = struct(4, { bytes: u32le(0) });
const LEAVE_BLOCKS_ALLOCATED = 1;
const HAS_PARENT = 2;

/** What the metadata region tells. */
export interface VhdxMetadata {
  readonly blockSize: number;
  /** Blocks are never given back: what a fixed disk has. */
  readonly leaveBlocksAllocated: boolean;
  readonly virtualSize: number;
  readonly diskId: string;
  readonly logicalSectorSize: number;
  readonly physicalSectorSize: number;
  /** There for a differencing disk only. */
  readonly parent?: ParentLocator;
}

export class VhdxMetadataError extends MabsError {
  readonly code = 'MABS-VHDX-METADATA';
  readonly hint = 'The metadata of the image is damaged or made by an unknown program: recover this disk from its newest recovery point.';
  override readonly kind = 'damaged';
  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`);
  }
}

/** Where an item lies, from the start of the metadata region. */
export interface MetadataItem {
  readonly offset: number;
  readonly length: number;
}

/** The known items of a metadata table, by id. Refuses unknown items that are required and items outside the region. */
export function parseMetadataTable(path: string, table: Uint8Array, regionLength: number): Map<string, MetadataItem> {
  const { signature, entryCount } = TABLE_HEADER.read(table);
  if (signature !== 'metadata' || entryCount > MAX_ENTRIES) throw new VhdxMetadataError(path, 'its metadata table is damaged');
  const known = new Set<string>(Object.values(ITEM));
  const items = new Map<string, MetadataItem>();
  for (let index = 0; index < entryCount; index++) {
    const { id, offset, length, flags } = ENTRY.read(table, TABLE_HEADER.size + index * ENTRY.size);
    if (!known.has(id)) {
      if (flags & IS_REQUIRED) throw new VhdxMetadataError(path, `needs metadata item ${id}, which is not known`);
      continue;
    }
    const placed = offset >= METADATA_TABLE_SIZE && length > 0 && length <= MAX_ITEM && length <= regionLength - offset;
    if (!placed || items.has(id)) throw new VhdxMetadataError(path, `metadata item ${id} is named twice or placed outside its region`);
    items.set(id, { offset, length });
  }
  return items;
}

/** Judges the known items; `readItem` reads the bytes of one. */
export async function parseMetadata(
  path: string,
  items: ReadonlyMap<string, MetadataItem>,
  readItem: (item: MetadataItem) => Promise<Uint8Array>,
): Promise<VhdxMetadata> {
  const itemOf = async (id: string, size: number): Promise<Uint8Array> => {
    const item = items.get(id);
    if (!item || item.length < size) throw new VhdxMetadataError(path, `metadata item ${id} is missing or too short`);
    return readItem({ offset: item.offset, length: size });
  };
  const { blockSize, flags } = FILE_PARAMETERS.read(await itemOf(ITEM.fileParameters, FILE_PARAMETERS.size));
  const { bytes: declaredSize } = VIRTUAL_SIZE.read(await itemOf(ITEM.virtualSize, VIRTUAL_SIZE.size));
  const { id: diskId } = DISK_ID.read(await itemOf(ITEM.diskId, DISK_ID.size));
  const { bytes: logicalSectorSize } = SECTOR_SIZE.read(await itemOf(ITEM.logicalSectorSize, SECTOR_SIZE.size));
  const { bytes: physicalSectorSize } = SECTOR_SIZE.read(await itemOf(ITEM.physicalSectorSize, SECTOR_SIZE.size));
  if (!isBlockSize(blockSize)) throw new VhdxMetadataError(path, `its block size is ${blockSize} bytes`);
  if (!isSectorSize(logicalSectorSize)) throw new VhdxMetadataError(path, `its logical sector size is ${logicalSectorSize} bytes`);
  if (!isSectorSize(physicalSectorSize)) throw new VhdxMetadataError(path, `its physical sector size is ${physicalSectorSize} bytes`);
  const virtualSize = safeNumber(declaredSize) ?? 0;
  if (virtualSize === 0 || virtualSize > MAX_VIRTUAL_SIZE || virtualSize % logicalSectorSize !== 0) {
    throw new VhdxMetadataError(path, `its virtual size is ${declaredSize} bytes`);
  }
  const locator = items.get(ITEM.parentLocator);
  if (flags & HAS_PARENT && !locator) throw new VhdxMetadataError(path, 'it has a parent but no parent locator');
  return {
    ...{ blockSize, virtualSize, diskId, logicalSectorSize, physicalSectorSize },
    leaveBlocksAllocated: (flags & LEAVE_BLOCKS_ALLOCATED) !== 0,
    ...(flags & HAS_PARENT && locator ? { parent: parseLocator(path, await readItem(locator)) } : {}),
  };
}

/** The bytes of a metadata region, as long as they need to be; the rest of the region is zero. */
export function encodeMetadata(metadata: VhdxMetadata): Uint8Array {
  const { blockSize, virtualSize, diskId, logicalSectorSize, physicalSectorSize, parent } = metadata;
  const flags = (metadata.leaveBlocksAllocated ? LEAVE_BLOCKS_ALLOCATED : 0) | (parent ? HAS_PARENT : 0);
  const items = [
    { id: ITEM.fileParameters, flags: IS_REQUIRED, bytes: FILE_PARAMETERS.make({ blockSize, flags }) },
    { id: ITEM.virtualSize, flags: IS_REQUIRED | IS_VIRTUAL_DISK, bytes: VIRTUAL_SIZE.make({ bytes: BigInt(virtualSize) }) },
    { id: ITEM.diskId, flags: IS_REQUIRED | IS_VIRTUAL_DISK, bytes: DISK_ID.make({ id: diskId }) },
    { id: ITEM.logicalSectorSize, flags: IS_REQUIRED | IS_VIRTUAL_DISK, bytes: SECTOR_SIZE.make({ bytes: logicalSectorSize }) },
    { id: ITEM.physicalSectorSize, flags: IS_REQUIRED | IS_VIRTUAL_DISK, bytes: SECTOR_SIZE.make({ bytes: physicalSectorSize }) },
    ...(parent ? [{ id: ITEM.parentLocator, flags: IS_REQUIRED, bytes: encodeLocator(parent) }] : []),
  ];
  const bytes = new Uint8Array(METADATA_TABLE_SIZE + items.reduce((sum, item) => sum + item.bytes.length, 0));
  TABLE_HEADER.write(bytes, { signature: 'metadata', entryCount: items.length });
  let at = METADATA_TABLE_SIZE;
  items.forEach((item, index) => {
    const entry = { id: item.id, offset: at, length: item.bytes.length, flags: item.flags };
    ENTRY.write(bytes, entry, TABLE_HEADER.size + index * ENTRY.size);
    bytes.set(item.bytes, at);
    at += item.bytes.length;
  });
  return bytes;
}

/** Whether a payload block may have this size: a power of two from 1 to 256 MiB. */
export function isBlockSize(bytes: number): boolean {
  return bytes >= MIB && bytes <= 256 * MIB && Number.isInteger(Math.log2(bytes));
}

function isSectorSize(bytes: number): boolean {
  return bytes === 512 || bytes === 4096;
}
