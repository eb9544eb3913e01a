import { crc32 } from 'node:zlib';
import { guidToBytes } from '../../src/lib/guid.ts';

export interface MbrEntry {
  readonly type: number;
  readonly start: number;
  readonly sectors: number;
  readonly status?: number;
}

/** A first sector, or an extended boot record, with these entries in its slots (at most four; `undefined` leaves one empty). */
export function anMbr(entries: readonly (MbrEntry | undefined)[]): Uint8Array {
  const sector = new Uint8Array(512);
  const view = new DataView(sector.buffer);
  for (const [slot, entry] of entries.entries()) {
    if (!entry) continue;
    const at = 446 + slot * 16;
    view.setUint8(at, entry.status ?? 0);
    view.setUint8(at + 4, entry.type);
    view.setUint32(at + 8, entry.start, true);
    view.setUint32(at + 12, entry.sectors, true);
  }
  view.setUint16(510, 0xaa55, true);
  return sector;
}

export interface GptEntry {
  readonly slot: number;
  readonly type: string;
  readonly firstLba: number;
  readonly lastLba: number;
  readonly name?: string;
}

/** Puts a protective MBR and both copies of a GPT on a disk: 128 entries of 128 bytes, unless `array` says otherwise. */
export function putGpt(
  disk: Uint8Array,
  entries: readonly GptEntry[],
  sectorSize = 512,
  { count, size }: { readonly count: number; readonly size: number } = { count: 128, size: 128 },
): void {
  const lastLba = disk.length / sectorSize - 1;
  const arraySectors = Math.ceil((count * size) / sectorSize);
  disk.set(anMbr([{ type: 0xee, start: 1, sectors: lastLba }]));
  const array = new Uint8Array(count * size);
  const view = new DataView(array.buffer);
  for (const { slot, type, firstLba, lastLba: end, name = '' } of entries) {
    array.set(guidToBytes(type), slot * size);
    array.set(guidToBytes('11111111-2222-3333-4444-555555555555'), slot * size + 16);
    view.setBigUint64(slot * size + 32, BigInt(firstLba), true);
    view.setBigUint64(slot * size + 40, BigInt(end), true);
    array.set(Buffer.from(name, 'utf16le'), slot * size + 56);
  }
  for (const copy of [
    { lba: 1, other: lastLba, arrayLba: 2 },
    { lba: lastLba, other: 1, arrayLba: lastLba - arraySectors },
  ]) {
    disk.set(array, copy.arrayLba * sectorSize);
    disk.set(aGptHeader(copy, lastLba, array, size), copy.lba * sectorSize);
  }
}

function aGptHeader(
  { lba, other, arrayLba }: { lba: number; other: number; arrayLba: number },
  lastLba: number,
  array: Uint8Array,
  entrySize: number,
): Uint8Array {
  const header = Buffer.alloc(92);
  header.write('EFI PART');
  header.writeUInt32LE(0x10000, 8);
  header.writeUInt32LE(92, 12);
  header.writeBigUInt64LE(BigInt(lba), 24);
  header.writeBigUInt64LE(BigInt(other), 32);
  header.writeBigUInt64LE(34n, 40);
  header.writeBigUInt64LE(BigInt(lastLba - 34), 48);
  header.writeBigUInt64LE(BigInt(arrayLba), 72);
  header.writeUInt32LE(array.length / entrySize, 80);
  header.writeUInt32LE(entrySize, 84);
  header.writeUInt32LE(crc32(array), 88);
  header.writeUInt32LE(crc32(header), 16);
  return header;
}
