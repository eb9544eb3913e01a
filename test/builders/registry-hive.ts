/** A key to make: the keys below it, and its values (text or a 32-bit number). */
export interface HiveKey {
  readonly keys?: Readonly<Record<string, HiveKey>>;
  readonly values?: Readonly<Record<string, string | number>>;
  /** How its list of keys is kept. */
  readonly list?: 'lf' | 'lh' | 'li' | 'ri';
}

const BASE = 4096;
const BIN_HEADER = 32;

/** A hive of the Windows registry with these keys below its root. */
export function aRegistryHive(root: HiveKey, { dirty = false } = {}): Uint8Array {
  const cells: Buffer[] = [];
  const cellAt = new Map<number, Buffer>();
  let end = BIN_HEADER;
  const put = (data: Buffer): number => {
    const cell = Buffer.alloc(Math.ceil((data.length + 4) / 8) * 8);
    cell.writeInt32LE(-cell.length, 0);
    data.copy(cell, 4);
    const at = end;
    cells.push(cell);
    cellAt.set(at, cell);
    end += cell.length;
    return at;
  };
  const putList = (kind: string, offsets: readonly number[]): number => {
    if (kind === 'ri') {
      const half = Math.ceil(offsets.length / 2);
      return putList('ri-of', [putList('lh', offsets.slice(0, half)), putList('li', offsets.slice(half))]);
    }
    const entryBytes = kind === 'lf' || kind === 'lh' ? 8 : 4;
    const list = Buffer.alloc(4 + offsets.length * entryBytes);
    list.write(kind.slice(0, 2), 0, 'latin1');
    list.writeUInt16LE(offsets.length, 2);
    for (const [index, offset] of offsets.entries()) list.writeUInt32LE(offset, 4 + index * entryBytes);
    return put(list);
  };
  const putValue = (name: string, value: string | number): number => {
    const data = typeof value === 'number' ? Buffer.alloc(4) : Buffer.from(`${value}\0`, 'utf16le');
    if (typeof value === 'number') data.writeUInt32LE(value);
    const cell = Buffer.alloc(20 + name.length);
    cell.write('vk', 0, 'latin1');
    cell.writeUInt16LE(name.length, 2);
    const inline = typeof value === 'number';
    cell.writeUInt32LE((data.length | (inline ? 0x80000000 : 0)) >>> 0, 4);
    cell.writeUInt32LE(inline ? data.readUInt32LE() : put(data), 8);
    cell.writeUInt32LE(inline ? 4 : 1, 12);
    cell.writeUInt16LE(1, 16);
    cell.write(name, 20, 'latin1');
    return put(cell);
  };
  const putKey = (name: string, { keys = {}, values = {}, list = 'lh' }: HiveKey, isRoot: boolean): number => {
    const below = Object.entries(keys).map(([own, key]) => putKey(own, key, false));
    const own = Object.entries(values).map(([key, value]) => putValue(key, value));
    const isWide = [...name].some((character) => character.charCodeAt(0) > 0xff);
    const bytes = Buffer.from(name, isWide ? 'utf16le' : 'latin1');
    const cell = Buffer.alloc(76 + bytes.length);
    cell.write('nk', 0, 'latin1');
    cell.writeUInt16LE((isWide ? 0 : 0x20) | (isRoot ? 0x0c : 0), 2);
    cell.writeUInt32LE(below.length, 20);
    cell.writeUInt32LE(below.length > 0 ? putList(list, below) : 0xffffffff, 28);
    cell.writeUInt32LE(0xffffffff, 32);
    cell.writeUInt32LE(own.length, 36);
    const offsets = Buffer.alloc(own.length * 4);
    for (const [index, offset] of own.entries()) offsets.writeUInt32LE(offset, index * 4);
    cell.writeUInt32LE(own.length > 0 ? put(offsets) : 0xffffffff, 40);
    cell.writeUInt32LE(securityOffset, 44);
    cell.writeUInt32LE(0xffffffff, 48);
    cell.writeUInt16LE(bytes.length, 72);
    bytes.copy(cell, 76);
    const offset = put(cell);
    for (const child of below) cellAt.get(child)!.writeUInt32LE(offset, 4 + 16);
    return offset;
  };
  const securityOffset = put(securityCell(end));
  const rootOffset = putKey('ROOT', root, true);
  return joined(cells, rootOffset, end, dirty);
}

/** The one security descriptor, which all keys share: it is its own neighbour in the list of them. */
function securityCell(own: number): Buffer {
  const cell = Buffer.alloc(20 + 20);
  cell.write('sk', 0, 'latin1');
  cell.writeUInt32LE(own, 4);
  cell.writeUInt32LE(own, 8);
  cell.writeUInt32LE(1, 12);
  cell.writeUInt32LE(20, 16);
  cell.set([1, 0, 0, 0x80], 20);
  return cell;
}

function joined(cells: readonly Buffer[], rootOffset: number, end: number, dirty: boolean): Uint8Array {
  const binBytes = Math.ceil((end + 8) / 4096) * 4096;
  const hive = Buffer.alloc(BASE + binBytes);
  hive.write('regf', 0, 'latin1');
  hive.writeUInt32LE(7, 4);
  hive.writeUInt32LE(dirty ? 6 : 7, 8);
  hive.writeUInt32LE(1, 20);
  hive.writeUInt32LE(5, 24);
  hive.writeUInt32LE(1, 32);
  hive.writeUInt32LE(rootOffset, 36);
  hive.writeUInt32LE(binBytes, 40);
  hive.writeUInt32LE(1, 44);
  let sum = 0;
  for (let at = 0; at < 508; at += 4) sum ^= hive.readUInt32LE(at);
  hive.writeUInt32LE(sum >>> 0, 508);
  hive.write('hbin', BASE, 'latin1');
  hive.writeUInt32LE(binBytes, BASE + 8);
  let at = BASE + BIN_HEADER;
  for (const cell of cells) {
    cell.copy(hive, at);
    at += cell.length;
  }
  // What remains of the bin is one free cell.
  hive.writeInt32LE(BASE + binBytes - at, at);
  return hive;
}

/** The keys of a SOFTWARE hive that tell which Windows it is. */
export function aSoftwareHive(values: Readonly<Record<string, string | number>>): Uint8Array {
  return aRegistryHive({ keys: { Microsoft: { keys: { 'Windows NT': { keys: { CurrentVersion: { values } } } } } } });
}
