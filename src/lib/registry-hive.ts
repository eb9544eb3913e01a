import type { ByteSource } from './byte-source.ts';
import { MabsError } from './errors.ts';
import { ascii, struct, u16le, u32le } from './struct.ts';

/** A key of the registry, found in its hive. */
export interface RegistryKey {
  /** Text (REG_SZ, REG_EXPAND_SZ) or a number (REG_DWORD); `undefined` where there is none, or of another type. Names regardless of case. */
  findValue(name: string): Promise<string | number | undefined>;
}

export interface RegistryHive {
  /** Changes lie in its transaction logs that are not in it: it was in use when it was copied. What it says is then a little older. */
  readonly dirty: boolean;
  /** The key that names lead to from the root, one below the other, regardless of case. */
  findKey(names: readonly string[]): Promise<RegistryKey | undefined>;
}

/**
 * Opens a hive of the Windows registry (format: M. Suhanov, Windows registry file format specification, chapters Base block, Hive bin,
 * Cell). Holds no more than a cell; looks at no more than 20,000 names of a key. MABS-REGISTRY-DAMAGED where a structure is wrong.
 */
export async function openRegistryHive(source: Pick<ByteSource, 'sizeBytes' | 'read'>): Promise<RegistryHive> {
  const block = await readAt(source, 0, BASE_BLOCK.size);
  const { signature, firstSequence, secondSequence, majorVersion, rootOffset } = BASE_BLOCK.read(block);
  if (signature !== 'regf') throw new RegistryDamagedError('it does not begin as a hive does');
  if (majorVersion !== 1) throw new RegistryDamagedError(`its version is ${majorVersion}`);
  const cells: Cells = (offset, length) => readCell(source, offset, length);
  return {
    dirty: firstSequence !== secondSequence,
    async findKey(names) {
      let offset: number | undefined = rootOffset;
      for (const name of names) {
        offset = await findSubkey(cells, await readKey(cells, offset), name);
        if (offset === undefined) return undefined;
      }
      const key = await readKey(cells, offset);
      return { findValue: (name) => findValue(cells, key, name) };
    },
  };
}

const BASE_BLOCK = struct(4096, {
  signature: ascii(0, 4),
  firstSequence: u32le(4),
  secondSequence: u32le(8),
  majorVersion: u32le(20),
  rootOffset: u32le(36),
});

const KEY = struct(76, {
  signature: ascii(0, 2),
  flags: u16le(2),
  subkeyCount: u32le(20),
  subkeysOffset: u32le(28),
  valueCount: u32le(36),
  valuesOffset: u32le(40),
  nameLength: u16le(72),
});
const KEY_NAME_IS_ASCII = 0x20;

const VALUE = struct(20, {
  signature: ascii(0, 2),
  nameLength: u16le(2),
  dataSize: u32le(4),
  dataOffset: u32le(8),
  type: u32le(12),
  flags: u16le(16),
});
const VALUE_NAME_IS_ASCII = 1;
/** Data of four bytes at most stands where else its offset would. */
const DATA_IS_INLINE = 0x8000_0000;

const LIST = struct(4, { signature: ascii(0, 2), count: u16le(2) });
/** Bytes of an entry: `lf` and `lh` keep a hint of the name beside each offset. */
const ENTRY_BYTES: Readonly<Record<string, number>> = { lf: 8, lh: 8, li: 4, ri: 4 };

const REG_SZ = 1;
const REG_EXPAND_SZ = 2;
const REG_DWORD = 4;

const MOST_NAMES = 20_000;
/** What of a value is of interest here: a larger one is passed by. */
const MOST_VALUE_BYTES = 16_344;

type Key = ReturnType<typeof KEY.read> & { readonly name: string };
/** The data of the cell at an offset, cut to `length`. */
type Cells = (offset: number, length: number) => Promise<Uint8Array>;

async function readKey(cells: Cells, offset: number): Promise<Key> {
  const cell = await cells(offset, KEY.size + 512);
  if (cell.length < KEY.size) throw new RegistryDamagedError('a key is cut off');
  const key = KEY.read(cell);
  if (key.signature !== 'nk') throw new RegistryDamagedError('a cell that should hold a key holds none');
  return { ...key, name: nameOf(cell.subarray(KEY.size, KEY.size + key.nameLength), (key.flags & KEY_NAME_IS_ASCII) !== 0) };
}

async function findSubkey(cells: Cells, key: Key, name: string): Promise<number | undefined> {
  if (key.subkeyCount === 0) return undefined;
  let looked = 0;
  for await (const offset of subkeysOf(cells, key.subkeysOffset, true)) {
    looked += 1;
    if (looked > MOST_NAMES) throw new RegistryDamagedError(`a key has more than ${MOST_NAMES} keys below it`);
    if (isSameName((await readKey(cells, offset)).name, name)) return offset;
  }
  return undefined;
}

/** Where the keys of a list lie; a list of lists (`ri`) is one level deep. */
async function* subkeysOf(cells: Cells, offset: number, mayNest: boolean): AsyncGenerator<number> {
  const { signature, count } = LIST.read(await wholeCell(cells, offset, LIST.size));
  const entryBytes = ENTRY_BYTES[signature];
  if (entryBytes === undefined || (signature === 'ri' && !mayNest)) throw new RegistryDamagedError('a list of keys is none');
  const list = viewOf(await wholeCell(cells, offset, LIST.size + count * entryBytes));
  for (let index = 0; index < count; index += 1) {
    const entry = list.getUint32(LIST.size + index * entryBytes, true);
    if (signature === 'ri') yield* subkeysOf(cells, entry, false);
    else yield entry;
  }
}

async function findValue(cells: Cells, key: Key, name: string): Promise<string | number | undefined> {
  if (key.valueCount === 0) return undefined;
  if (key.valueCount > MOST_NAMES) throw new RegistryDamagedError(`a key has ${key.valueCount} values`);
  const list = viewOf(await wholeCell(cells, key.valuesOffset, key.valueCount * 4));
  for (let index = 0; index < key.valueCount; index += 1) {
    const cell = await cells(list.getUint32(index * 4, true), VALUE.size + 512);
    if (cell.length < VALUE.size) throw new RegistryDamagedError('a value is cut off');
    const value = VALUE.read(cell);
    if (value.signature !== 'vk') throw new RegistryDamagedError('a cell that should hold a value holds none');
    const own = nameOf(cell.subarray(VALUE.size, VALUE.size + value.nameLength), (value.flags & VALUE_NAME_IS_ASCII) !== 0);
    if (isSameName(own, name)) return await contentOf(cells, value, cell);
  }
  return undefined;
}

async function contentOf(cells: Cells, value: ReturnType<typeof VALUE.read>, cell: Uint8Array): Promise<string | number | undefined> {
  const { dataSize, dataOffset, type } = value;
  const inline = dataSize >= DATA_IS_INLINE;
  const size = inline ? dataSize - DATA_IS_INLINE : dataSize;
  if (size > MOST_VALUE_BYTES) return undefined;
  if (inline && size > 4) throw new RegistryDamagedError('a value is longer than its place');
  const { dataOffset: at } = VALUE.offsetOf;
  const bytes = inline ? cell.subarray(at, at + size) : size === 0 ? new Uint8Array(0) : await wholeCell(cells, dataOffset, size);
  if (type === REG_DWORD) return bytes.length === 4 ? viewOf(bytes).getUint32(0, true) : undefined;
  return type === REG_SZ || type === REG_EXPAND_SZ ? wideText(bytes).split('\0', 1)[0]! : undefined;
}

/** Offsets count from the end of the base block. A cell begins with its size, negative where it is in use. */
async function readCell(source: Pick<ByteSource, 'sizeBytes' | 'read'>, offset: number, length: number): Promise<Uint8Array> {
  const start = BASE_BLOCK.size + offset;
  const size = -viewOf(await readAt(source, start, 4)).getInt32(0, true);
  if (size < 8 || size > source.sizeBytes - start) throw new RegistryDamagedError('a cell is free, or larger than the hive');
  return await readAt(source, start + 4, Math.min(length, size - 4));
}

async function wholeCell(cells: Cells, offset: number, length: number): Promise<Uint8Array> {
  const cell = await cells(offset, length);
  if (cell.length < length) throw new RegistryDamagedError('a cell is smaller than what it should hold');
  return cell;
}

async function readAt(source: Pick<ByteSource, 'sizeBytes' | 'read'>, offset: number, length: number): Promise<Uint8Array> {
  if (length > source.sizeBytes - offset) throw new RegistryDamagedError('it ends before its structures do');
  const into = new Uint8Array(length);
  await source.read(offset, into);
  return into;
}

function nameOf(bytes: Uint8Array, isAscii: boolean): string {
  return isAscii ? new TextDecoder('latin1').decode(bytes) : wideText(bytes);
}

const wideText = (bytes: Uint8Array) => new TextDecoder('utf-16le').decode(bytes);
const isSameName = (one: string, other: string) => one.toUpperCase() === other.toUpperCase();
const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export class RegistryDamagedError extends MabsError {
  readonly code = 'MABS-REGISTRY-DAMAGED';
  readonly hint = 'The guest may not start from it: look at an older recovery point, and run the check again there.';
  override readonly kind = 'damaged';
  constructor(what: string) {
    super(`the registry hive is damaged: ${what}`);
  }
}
