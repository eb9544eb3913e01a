import { crc32 } from 'node:zlib';
import { NIL_GUID } from '../../lib/guid.ts';
import { ascii, bytes, guid, safeNumber, struct, u32le, u64le } from '../../lib/struct.ts';
import type { Partition } from '../disk-format.ts';
import type { TableSource } from './table-source.ts';

/** UEFI specification, chapter 5.3.2, GPT Header. */
const HEADER = struct(92, {
  signature: ascii(0, 8),
  headerSize: u32le(12),
  headerCrc: u32le(16),
  myLba: u64le(24),
  alternateLba: u64le(32),
  entriesLba: u64le(72),
  entryCount: u32le(80),
  entrySize: u32le(84),
  entriesCrc: u32le(88),
});

/** Chapter 5.3.3, GPT Partition Entry Array. */
const ENTRY = struct(128, { type: guid(0), firstLba: u64le(32), lastLba: u64le(40), name: bytes(56, 72) });

/** An array of entries beyond this is hostile: 128 entries take 16 KiB. */
const MAX_ENTRIES_BYTES = 1024 * 1024;

/** The partitions of the GPT in sectors of this size: of its primary copy when that is intact, else of its backup; else `undefined`. */
export async function readGpt(disk: TableSource, sectorSize: number): Promise<Partition[] | undefined> {
  const lastLba = Math.floor(disk.sizeBytes / sectorSize) - 1;
  const primary = await readHeader(disk, 1, sectorSize);
  const places = new Set([1, ...(primary ? [safeNumber(primary.alternateLba) ?? lastLba] : []), lastLba]);
  for (const lba of places) {
    const header = lba === 1 ? primary : await readHeader(disk, lba, sectorSize);
    const partitions = header && (await readEntries(disk, header, sectorSize));
    if (partitions) return partitions;
  }
  return undefined;
}

/** One copy of a GPT whose checksums hold. */
export interface GptCopy {
  /** Where it says that the other copy lies. */
  readonly alternateLba: number | undefined;
  /** The array of entries, as it lies. */
  readonly entries: Uint8Array;
}

/** The copy whose header lies at `lba`; `undefined` where none is intact. */
export async function readGptCopy(disk: TableSource, lba: number, sectorSize: number): Promise<GptCopy | undefined> {
  const header = await readHeader(disk, lba, sectorSize);
  const entries = header && (await readArray(disk, header, sectorSize));
  return entries && { alternateLba: safeNumber(header.alternateLba), entries };
}

type Header = ReturnType<typeof HEADER.read>;

async function readHeader(disk: TableSource, lba: number, sectorSize: number): Promise<Header | undefined> {
  const sector = await readInside(disk, lba * sectorSize, sectorSize);
  if (!sector) return undefined;
  const header = HEADER.read(sector);
  const { signature, headerSize, headerCrc, myLba } = header;
  if (signature !== 'EFI PART' || myLba !== BigInt(lba) || headerSize < HEADER.size || headerSize > sectorSize) return undefined;
  const checked = sector.slice(0, headerSize);
  checked.fill(0, HEADER.offsetOf.headerCrc, HEADER.offsetOf.headerCrc + 4);
  return crc32(checked) === headerCrc ? header : undefined;
}

async function readArray(disk: TableSource, header: Header, sectorSize: number): Promise<Uint8Array | undefined> {
  const { entryCount, entrySize, entriesCrc } = header;
  const length = entryCount * entrySize;
  if (entrySize < ENTRY.size || entrySize % 8 !== 0 || length > MAX_ENTRIES_BYTES) return undefined;
  const entriesLba = safeNumber(header.entriesLba);
  const array = entriesLba === undefined ? undefined : await readInside(disk, entriesLba * sectorSize, length);
  return array && crc32(array) === entriesCrc ? array : undefined;
}

async function readEntries(disk: TableSource, header: Header, sectorSize: number): Promise<Partition[] | undefined> {
  const array = await readArray(disk, header, sectorSize);
  if (!array) return undefined;
  const { entryCount, entrySize } = header;
  const found: Partition[] = [];
  for (let index = 0; index < entryCount; index++) {
    const partition = partitionOf(array.subarray(index * entrySize, (index + 1) * entrySize), index + 1, sectorSize);
    if (partition) found.push(partition);
  }
  return found;
}

function partitionOf(entry: Uint8Array, index: number, sectorSize: number): Partition | undefined {
  const { type, firstLba, lastLba, name } = ENTRY.read(entry);
  if (type === NIL_GUID || lastLba < firstLba) return undefined;
  const offset = safeNumber(firstLba * BigInt(sectorSize));
  const end = safeNumber((lastLba + 1n) * BigInt(sectorSize));
  if (offset === undefined || end === undefined) return undefined;
  const text = new TextDecoder('utf-16le').decode(name).split('\0', 1)[0]!;
  return { index, offset, length: end - offset, type: type.toUpperCase(), ...(text && { name: text }) };
}

async function readInside(disk: TableSource, offset: number, length: number): Promise<Uint8Array | undefined> {
  if (!Number.isSafeInteger(offset) || offset < 0 || length > disk.sizeBytes - offset) return undefined;
  const into = new Uint8Array(length);
  await disk.read(offset, into);
  return into;
}
