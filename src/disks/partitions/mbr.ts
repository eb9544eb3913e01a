import { struct, u8, u16le, u32le } from '../../lib/struct.ts';
import type { Partition } from '../disk-format.ts';
import type { TableSource } from './table-source.ts';

const ENTRIES_AT = 446;
const SIGNATURE = 0xaa55;
/** More logical partitions than any system makes; a longer chain is hostile. */
const MAX_LOGICAL = 256;

const ENTRY = struct(16, { status: u8(0), type: u8(4), startLba: u32le(8), sectors: u32le(12) });
const SIGNATURE_FIELD = struct(512, { signature: u16le(510) });
/** The BIOS parameter block that FAT and NTFS volumes begin with. */
const BPB = struct(512, { sectorSize: u16le(11), sectorsPerCluster: u8(13), reserved: u16le(14), fats: u8(16), media: u8(21) });

type Entry = ReturnType<typeof ENTRY.read>;

/**
 * The partitions of an MBR whose first sector is `sector`, ascending by index; `undefined` when it is none: no signature, an entry
 * whose status is neither 0 nor 80h (boot code, not a table), no entry in use, or the boot sector of a volume.
 */
export async function readMbr(disk: TableSource, sector: Uint8Array, sectorSize: number): Promise<Partition[] | undefined> {
  const entries = entriesOf(sector);
  if (!entries || isVolumeBootSector(sector)) return undefined;
  if (entries.some(({ status }) => status !== 0 && status !== 0x80)) return undefined;
  const primary = entries.map((entry, slot) => ({ entry, index: slot + 1 })).filter(({ entry }) => isUsed(entry));
  if (primary.length === 0) return undefined;
  const partitions = primary.map(({ entry, index }) => partitionOf(entry, index, 0, sectorSize));
  const logical: Partition[] = [];
  const seen = new Set<number>();
  for (const { entry } of primary) if (isExtended(entry)) await readLogical(disk, entry, sectorSize, { logical, seen });
  return [...partitions, ...logical.slice(0, MAX_LOGICAL)];
}

/**
 * The chain of extended boot records: each holds a logical partition, relative to itself, and a link to the next record, relative to
 * the extended partition. Ends at what is no record, at a loop, or at the disk's end. As Linux does, more than one partition in a
 * record counts, and in its last two slots, where some systems leave garbage, only one that lies within the extended partition.
 */
async function readLogical(
  disk: TableSource,
  extended: Entry,
  sectorSize: number,
  { logical, seen }: { readonly logical: Partition[]; readonly seen: Set<number> },
): Promise<void> {
  const extendedLba = extended.startLba;
  const sector = new Uint8Array(512);
  let lba: number | undefined = extendedLba;
  while (lba !== undefined && !seen.has(lba) && seen.size < MAX_LOGICAL && (lba + 1) * sectorSize <= disk.sizeBytes) {
    seen.add(lba);
    await disk.read(lba * sectorSize, sector);
    const entries = entriesOf(sector);
    if (!entries) break;
    const base = lba;
    const data = entries.filter((entry, slot) => isUsed(entry) && !isExtended(entry) && (slot < 2 || liesWithin(entry, base, extended)));
    for (const entry of data) logical.push(partitionOf(entry, 5 + logical.length, base, sectorSize));
    const link = entries.find((entry) => isUsed(entry) && isExtended(entry));
    lba = link && extendedLba + link.startLba;
  }
}

const liesWithin = ({ startLba, sectors }: Entry, baseLba: number, extended: Entry) =>
  baseLba + startLba + sectors <= extended.startLba + extended.sectors;

function entriesOf(sector: Uint8Array): Entry[] | undefined {
  if (SIGNATURE_FIELD.read(sector).signature !== SIGNATURE) return undefined;
  return [0, 1, 2, 3].map((slot) => ENTRY.read(sector, ENTRIES_AT + slot * ENTRY.size));
}

function partitionOf({ type, startLba, sectors }: Entry, index: number, baseLba: number, sectorSize: number): Partition {
  return { index, offset: (baseLba + startLba) * sectorSize, length: sectors * sectorSize, type: type.toString(16) };
}

const isUsed = ({ type, sectors }: Entry) => type !== 0 && sectors !== 0;
const isExtended = ({ type }: Entry) => type === 0x05 || type === 0x0f || type === 0x85;

/** A volume without a table ends its first sector with the same signature; its parameter block gives it away. */
function isVolumeBootSector(sector: Uint8Array): boolean {
  const oem = String.fromCharCode(...sector.subarray(3, 11));
  if (oem === 'NTFS    ' || oem === 'EXFAT   ' || oem === '-FVE-FS-') return true;
  const { sectorSize, sectorsPerCluster, reserved, fats, media } = BPB.read(sector);
  const plausible = isPowerOfTwo(sectorSize) && sectorSize >= 512 && sectorSize <= 4096 && isPowerOfTwo(sectorsPerCluster);
  return plausible && reserved > 0 && fats > 0 && (media >= 0xf8 || media === 0xf0);
}

const isPowerOfTwo = (value: number) => value > 0 && (value & (value - 1)) === 0;
