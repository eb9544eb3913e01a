import { shortNameChecksum } from '../../src/filesystems/fat/short-name.ts';

const SECTOR = 512;
const ENTRY = 32;
const ROOT_ENTRIES = 64;

/** What is put into a directory: a file, a directory with `items`, or `raw` entries as they are. */
export interface FatItem {
  /** The eleven bytes of the short name, or a shorter one to be filled with spaces. */
  readonly short?: string;
  readonly long?: string;
  readonly attributes?: number;
  /** Byte 12. */
  readonly caseBits?: number;
  readonly content?: Uint8Array;
  readonly items?: readonly FatItem[];
  /** Every other cluster only, so that each is a piece of its own. */
  readonly scattered?: boolean;
  /** Instead of the content's length. */
  readonly size?: number;
  /** Bytes 13 to 25 of the entry: times. */
  readonly times?: readonly number[];
  readonly raw?: readonly Uint8Array[];
}

export interface FatOptions {
  readonly bits: 12 | 16 | 28;
  readonly items: readonly FatItem[];
  readonly clusters?: number;
  readonly sectorsPerCluster?: number;
}

/** A FAT volume in memory, and where its parts lie. */
export interface BuiltFat {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly table: number;
  readonly tableBytes: number;
  readonly root: number;
  readonly positionOf: (cluster: number) => number;
  readonly setEntry: (cluster: number, value: number, copy?: 0 | 1) => void;
  /** Clusters that were given out, by short name, in order. */
  readonly clustersOf: ReadonlyMap<string, readonly number[]>;
}

/** Writes a volume with two tables from the FAT specification 1.03, with nothing of mabs but the checksum of names. */
export function aFatVolume({ bits, items, clusters = bits === 16 ? 4100 : 40, sectorsPerCluster = 1 }: FatOptions): BuiltFat {
  const fat32 = bits === 28;
  const reserved = fat32 ? 8 : 1;
  const entryBits = fat32 ? 32 : bits;
  const tableSectors = Math.ceil(((clusters + 2) * entryBits) / 8 / SECTOR);
  const clusterSize = sectorsPerCluster * SECTOR;
  const root = (reserved + 2 * tableSectors) * SECTOR;
  const heap = root + (fat32 ? 0 : ROOT_ENTRIES * ENTRY);
  const sectors = heap / SECTOR + clusters * sectorsPerCluster;
  const bytes = new Uint8Array(sectors * SECTOR);
  const view = new DataView(bytes.buffer);
  const table = reserved * SECTOR;
  const positionOf = (cluster: number) => heap + (cluster - 2) * clusterSize;
  const clustersOf = new Map<string, number[]>();
  let nextCluster = 2;

  const setEntry = (cluster: number, value: number, copy?: 0 | 1): void => {
    for (const one of copy === undefined ? [0, 1] : [copy]) {
      const start = table + one * tableSectors * SECTOR;
      if (entryBits === 32) view.setUint32(start + cluster * 4, value >>> 0, true);
      else if (entryBits === 16) view.setUint16(start + cluster * 2, value, true);
      else {
        const at = start + ((cluster * 3) >> 1);
        const pair = view.getUint16(at, true);
        view.setUint16(at, cluster & 1 ? (pair & 0x000f) | (value << 4) : (pair & 0xf000) | value, true);
      }
    }
  };
  const end = 2 ** bits - 1;
  const store = (content: Uint8Array, scattered = false): number[] => {
    const count = Math.ceil(content.length / clusterSize);
    const taken = Array.from({ length: count }, (_, index) => nextCluster + index * (scattered ? 2 : 1));
    nextCluster += count * (scattered ? 2 : 1);
    for (const [index, cluster] of taken.entries()) {
      bytes.set(content.subarray(index * clusterSize, (index + 1) * clusterSize), positionOf(cluster));
      setEntry(cluster, taken[index + 1] ?? end);
    }
    return taken;
  };
  const entriesOf = (item: FatItem): Uint8Array[] => {
    if (item.raw) return [...item.raw];
    const short = (item.short ?? 'NAME').padEnd(11);
    const content = item.items ? directory(item.items) : (item.content ?? new Uint8Array(0));
    const taken = store(content, item.scattered);
    clustersOf.set(short.trim(), taken);
    const entry = aShortEntry({ ...item, short, size: item.items ? 0 : (item.size ?? content.length), cluster: taken[0] ?? 0 });
    return [...longEntries(item.long, entry), entry];
  };
  const directory = (inside: readonly FatItem[]): Uint8Array => {
    const joined = Buffer.concat(inside.flatMap(entriesOf));
    const whole = new Uint8Array(Math.max(1, Math.ceil((joined.length + ENTRY) / clusterSize)) * clusterSize);
    whole.set(joined);
    return whole;
  };

  if (fat32) {
    const reservedForRoot = nextCluster;
    nextCluster += 8;
    const content = directory(items);
    const count = content.length / clusterSize;
    bytes.set(content, positionOf(reservedForRoot));
    for (let index = 0; index < count; index++) setEntry(reservedForRoot + index, index + 1 < count ? reservedForRoot + index + 1 : end);
  } else bytes.set(directory(items).subarray(0, ROOT_ENTRIES * ENTRY), root);

  setEntry(0, end - 7);
  setEntry(1, end);
  bytes.set([0xeb, 0x3c, 0x90, ...Buffer.from('mkfs.fat')]);
  view.setUint16(11, SECTOR, true);
  view.setUint8(13, sectorsPerCluster);
  view.setUint16(14, reserved, true);
  view.setUint8(16, 2);
  view.setUint16(17, fat32 ? 0 : ROOT_ENTRIES, true);
  view.setUint16(19, sectors < 65_536 ? sectors : 0, true);
  view.setUint8(21, 0xf8);
  view.setUint16(22, fat32 ? 0 : tableSectors, true);
  view.setUint32(32, sectors < 65_536 ? 0 : sectors, true);
  if (fat32) {
    view.setUint32(36, tableSectors, true);
    view.setUint32(44, 2, true);
    view.setUint16(48, 1, true);
    bytes.set(Buffer.from('RRaA'), SECTOR);
    bytes.set(Buffer.from('rrAa'), SECTOR + 484);
    view.setUint32(SECTOR + 488, 0xffff_ffff, true);
  }
  view.setUint32(fat32 ? 67 : 39, 0x1234_abcd, true);
  bytes.set(Buffer.from(fat32 ? 'FAT32   ' : `FAT${bits}   `), fat32 ? 82 : 54);
  bytes.set([0x55, 0xaa], 510);
  return { bytes, view, table, tableBytes: tableSectors * SECTOR, root: fat32 ? positionOf(2) : root, positionOf, setEntry, clustersOf };
}

/** An entry of 32 bytes. `short` as Latin-1: a character a byte. */
export function aShortEntry({
  short,
  attributes,
  items,
  caseBits = 0,
  size = 0,
  cluster = 0,
  times = [],
}: FatItem & { readonly cluster?: number }): Uint8Array {
  const entry = new Uint8Array(ENTRY);
  const view = new DataView(entry.buffer);
  entry.set(Buffer.from((short ?? '').padEnd(11), 'latin1'));
  entry[11] = attributes ?? (items ? 0x10 : 0x20);
  entry[12] = caseBits;
  entry.set(times, 13);
  view.setUint16(20, cluster >>> 16, true);
  view.setUint16(26, cluster & 0xffff, true);
  view.setUint32(28, size, true);
  return entry;
}

/** The entries of a long name for the short one in `entry`, last part first. */
export function longEntries(name: string | undefined, entry: Uint8Array, checksum = shortNameChecksum(entry)): Uint8Array[] {
  if (name === undefined) return [];
  const count = Math.ceil(name.length / 13);
  return Array.from({ length: count }, (_, index) => {
    const number = count - index;
    const part = new Uint8Array(ENTRY).fill(0xff);
    const view = new DataView(part.buffer);
    part[0] = number | (index === 0 ? 0x40 : 0);
    part[11] = 0x0f;
    part[12] = 0;
    part[13] = checksum;
    view.setUint16(26, 0, true);
    for (const [slot, at] of [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30].entries()) {
      const unit = (number - 1) * 13 + slot;
      if (unit <= name.length) view.setUint16(at, unit === name.length ? 0 : name.charCodeAt(unit), true);
    }
    return part;
  });
}
