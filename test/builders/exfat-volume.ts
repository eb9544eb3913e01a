import { bootChecksum } from '../../src/filesystems/exfat/boot-region.ts';
import { setChecksum } from '../../src/filesystems/exfat/entry-set.ts';
import { upCaseChecksum } from '../../src/filesystems/exfat/up-case-table.ts';

const SECTOR = 512;
const ENTRY = 32;
const HEAP_SECTOR = 48;
const FAT_SECTOR = 24;
const FAT_SECTORS = 4;
const ROOT_CLUSTERS = 8;

/** A file, or a directory with `items`. */
export interface ExfatItem {
  readonly name: string;
  readonly content?: Uint8Array;
  readonly items?: readonly ExfatItem[];
  /** Every other cluster only, with a chain; else side by side and without one. */
  readonly chained?: boolean;
  readonly attributes?: number;
  /** What was written; the content's length otherwise. */
  readonly validBytes?: number;
  /** Bytes 8 to 24 of the file's entry. */
  readonly times?: readonly number[];
}

export interface ExfatOptions {
  readonly items: readonly ExfatItem[];
  readonly clusters?: number;
  readonly label?: string;
  readonly tables?: 1 | 2;
}

/** An exFAT volume in memory, and where its parts lie. */
export interface BuiltExfat {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly positionOf: (cluster: number) => number;
  readonly setEntry: (cluster: number, value: number, copy?: 0 | 1) => void;
  /** First cluster of a file, by name. */
  readonly firstOf: ReadonlyMap<string, number>;
  /** Makes the checksums of both boot regions right again. */
  readonly seal: () => void;
}

/** Small ASCII letters stand for the large ones, all else for itself, in the compressed form. */
const UP_CASE = Buffer.from(
  Uint16Array.of(0xffff, 0x61, ...Array.from({ length: 26 }, (_, letter) => 0x41 + letter), 0xffff, 0xffff - 0x7a).buffer,
);

/** Writes a volume of 512-byte clusters from the exFAT specification 1.00. */
export function anExfatVolume({ items, clusters = 60, label, tables = 1 }: ExfatOptions): BuiltExfat {
  const sectors = HEAP_SECTOR + clusters;
  const bytes = new Uint8Array(sectors * SECTOR);
  const view = new DataView(bytes.buffer);
  const positionOf = (cluster: number) => (HEAP_SECTOR + cluster - 2) * SECTOR;
  const firstOf = new Map<string, number>();
  const used = new Set<number>();
  let next = 2;

  const setEntry = (cluster: number, value: number, copy?: 0 | 1): void => {
    for (const one of copy === undefined ? Array(tables).keys() : [copy]) {
      view.setUint32((FAT_SECTOR + one * FAT_SECTORS) * SECTOR + cluster * 4, value, true);
    }
  };
  const store = (content: Uint8Array, chained: boolean, step = chained ? 2 : 1): number => {
    const count = Math.ceil(content.length / SECTOR);
    const first = next;
    next += count * step;
    for (let index = 0; index < count; index++) {
      const cluster = first + index * step;
      used.add(cluster);
      bytes.set(content.subarray(index * SECTOR, (index + 1) * SECTOR), positionOf(cluster));
      if (chained) setEntry(cluster, index + 1 < count ? cluster + step : 0xffff_ffff);
    }
    return count === 0 ? 0 : first;
  };
  const directory = (inside: readonly ExfatItem[]): Uint8Array => {
    const joined = Buffer.concat(inside.map(setOf));
    const whole = new Uint8Array(Math.max(1, Math.ceil(joined.length / SECTOR)) * SECTOR);
    whole.set(joined);
    return whole;
  };
  const setOf = (item: ExfatItem): Uint8Array => {
    const content = item.items ? directory(item.items) : (item.content ?? new Uint8Array(0));
    const first = store(content, item.chained ?? false);
    firstOf.set(item.name, first);
    return anEntrySet(item, { first, size: content.length });
  };

  const bitmapCluster = store(new Uint8Array(SECTOR), true, 1);
  const secondBitmap = tables === 2 ? store(new Uint8Array(SECTOR), true, 1) : undefined;
  const upCaseCluster = store(UP_CASE, true, 1);
  const rootCluster = store(new Uint8Array(ROOT_CLUSTERS * SECTOR), true, 1);
  const volumeEntries = [
    ...(label === undefined ? [] : [aLabel(label)]),
    aPlace(0x81, { flags: 0, first: bitmapCluster, size: Math.ceil(clusters / 8) }),
    ...(secondBitmap === undefined ? [] : [aPlace(0x81, { flags: 1, first: secondBitmap, size: Math.ceil(clusters / 8) })]),
    aPlace(0x82, { checksum: upCaseChecksum(UP_CASE), first: upCaseCluster, size: UP_CASE.length }),
  ];
  bytes.set(Buffer.concat([...volumeEntries, ...items.map(setOf)]), positionOf(rootCluster));
  for (const cluster of used) {
    for (const bitmap of [bitmapCluster, secondBitmap])
      if (bitmap) bytes[positionOf(bitmap) + ((cluster - 2) >> 3)]! |= 1 << ((cluster - 2) & 7);
  }

  bytes.set([0xeb, 0x76, 0x90, ...Buffer.from('EXFAT   ')]);
  view.setBigUint64(72, BigInt(sectors), true);
  for (const [at, value] of [
    [80, FAT_SECTOR],
    [84, FAT_SECTORS],
    [88, HEAP_SECTOR],
    [92, clusters],
    [96, rootCluster],
    [100, 0x1234_abcd],
  ] as const) {
    view.setUint32(at, value, true);
  }
  view.setUint16(104, 0x100, true);
  bytes.set([9, 0, tables], 108);
  for (let sector = 0; sector < 9; sector++) bytes.set([0x55, 0xaa], sector * SECTOR + 510);
  const seal = (): void => {
    const sum = bootChecksum(bytes.subarray(0, 11 * SECTOR));
    for (let at = 0; at < SECTOR; at += 4) view.setUint32(11 * SECTOR + at, sum, true);
    bytes.copyWithin(12 * SECTOR, 0, 12 * SECTOR);
  };
  seal();
  return { bytes, view, positionOf, setEntry, firstOf, seal };
}

/** The entries of one file, with their checksum. */
export function anEntrySet(item: ExfatItem, { first, size }: { first: number; size: number }): Uint8Array {
  const names = Math.ceil(item.name.length / 15);
  const set = new Uint8Array(ENTRY * (2 + names));
  const view = new DataView(set.buffer);
  set[0] = 0x85;
  set[1] = 1 + names;
  view.setUint16(4, item.attributes ?? (item.items ? 0x10 : 0x20), true);
  set.set(item.times ?? [], 8);
  set[32] = 0xc0;
  set[33] = first === 0 ? 1 : item.chained ? 1 : 3;
  set[35] = item.name.length;
  view.setBigUint64(40, BigInt(item.validBytes ?? size), true);
  view.setUint32(52, first, true);
  view.setBigUint64(56, BigInt(size), true);
  for (let unit = 0; unit < names * 15; unit++) {
    const at = ENTRY * (2 + Math.floor(unit / 15));
    set[at] = 0xc1;
    if (unit < item.name.length) view.setUint16(at + 2 + (unit % 15) * 2, item.name.charCodeAt(unit), true);
  }
  view.setUint16(2, setChecksum(set), true);
  return set;
}

function aPlace(
  type: number,
  { flags = 0, checksum = 0, first, size }: { flags?: number; checksum?: number; first: number; size: number },
): Uint8Array {
  const entry = new Uint8Array(ENTRY);
  const view = new DataView(entry.buffer);
  entry.set([type, flags]);
  view.setUint32(4, checksum, true);
  view.setUint32(20, first, true);
  view.setBigUint64(24, BigInt(size), true);
  return entry;
}

function aLabel(label: string): Uint8Array {
  const entry = new Uint8Array(ENTRY);
  entry.set([0x83, label.length]);
  entry.set(new Uint8Array(Uint16Array.from(label, (character) => character.charCodeAt(0)).buffer), 2);
  return entry;
}
