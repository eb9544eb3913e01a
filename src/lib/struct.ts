import { guidFromBytes, guidToBytes } from './guid.ts';

/** One field of a binary structure: where it stands and how it is read and written. */
export interface Field<T> {
  readonly offset: number;
  readonly size: number;
  get(view: DataView, at: number): T;
  put(view: DataView, at: number, value: T): void;
}

type ValueOf<F> = F extends Field<infer T> ? T : never;

/** A binary structure of fixed size, as a table that can be held against its specification line by line. */
export interface Struct<F> {
  readonly size: number;
  readonly offsetOf: { readonly [K in keyof F]: number };
  /** The fields of the structure at `at`. Judges nothing; throws a RangeError when `bytes` ends before it does. */
  read(bytes: Uint8Array, at?: number): { readonly [K in keyof F]: ValueOf<F[K]> };
  /** Puts the fields named in `values` into `into`; all other bytes stay. */
  write(into: Uint8Array, values: Partial<{ readonly [K in keyof F]: ValueOf<F[K]> }>, at?: number): void;
  /** A new structure: zeros, and the fields named. */
  make(values: Partial<{ readonly [K in keyof F]: ValueOf<F[K]> }>): Uint8Array;
}

/** The fields that a structure reads as. */
export type Unpacked<S> = S extends { read(bytes: Uint8Array): infer R } ? R : never;

/** Makes a structure of `size` bytes from its table of fields. */
export function struct<F extends { readonly [K in keyof F]: Field<unknown> }>(size: number, fields: F): Struct<F> {
  const entries = Object.entries<Field<unknown>>(fields);
  for (const [name, field] of entries) if (field.offset + field.size > size) throw new RangeError(`${name} ends past ${size}`);
  return {
    size,
    offsetOf: Object.fromEntries(entries.map(([name, { offset }]) => [name, offset])) as Struct<F>['offsetOf'],
    read(bytes, at = 0) {
      const view = viewOf(bytes, at, size);
      // A loop, since readers of file systems come here for every file.
      const values: Record<string, unknown> = {};
      for (const [name, field] of entries) values[name] = field.get(view, field.offset);
      return values as Unpacked<Struct<F>>;
    },
    write(into, values, at = 0) {
      const view = viewOf(into, at, size);
      for (const [name, field] of entries) {
        const value = values[name as keyof F];
        if (value !== undefined) field.put(view, field.offset, value);
      }
    },
    make(values) {
      const bytes = new Uint8Array(size);
      this.write(bytes, values);
      return bytes;
    },
  };
}

export const u8 = (offset: number): Field<number> => ({
  offset,
  size: 1,
  get: (view, at) => view.getUint8(at),
  put: (view, at, value) => view.setUint8(at, value),
});

export const u16le = (offset: number): Field<number> => ({
  offset,
  size: 2,
  get: (view, at) => view.getUint16(at, true),
  put: (view, at, value) => view.setUint16(at, value, true),
});

export const u32le = (offset: number): Field<number> => ({
  offset,
  size: 4,
  get: (view, at) => view.getUint32(at, true),
  put: (view, at, value) => view.setUint32(at, value, true),
});

/** Eight bytes as a bigint, because what comes from a disk may lie above 2^53; see `safeNumber`. */
export const u64le = (offset: number): Field<bigint> => ({
  offset,
  size: 8,
  get: (view, at) => view.getBigUint64(at, true),
  put: (view, at, value) => view.setBigUint64(at, value, true),
});

export const u16be = (offset: number): Field<number> => ({
  offset,
  size: 2,
  get: (view, at) => view.getUint16(at, false),
  put: (view, at, value) => view.setUint16(at, value, false),
});

export const u32be = (offset: number): Field<number> => ({
  offset,
  size: 4,
  get: (view, at) => view.getUint32(at, false),
  put: (view, at, value) => view.setUint32(at, value, false),
});

export const u64be = (offset: number): Field<bigint> => ({
  offset,
  size: 8,
  get: (view, at) => view.getBigUint64(at, false),
  put: (view, at, value) => view.setBigUint64(at, value, false),
});

/** A GUID in Microsoft's mixed-endian layout, as lower-case text. */
export const guid = (offset: number): Field<string> => ({
  offset,
  size: 16,
  get: (view, at) => guidFromBytes(bytesOf(view, at, 16)),
  put: (view, at, value) => bytesOf(view, at, 16).set(guidToBytes(value)),
});

/** Text of one byte a character, all `size` of them, zeros included. */
export const ascii = (offset: number, size: number): Field<string> => ({
  offset,
  size,
  get: (view, at) => String.fromCharCode(...bytesOf(view, at, size)),
  put: (view, at, value) => bytesOf(view, at, size).set(Uint8Array.from(value, (character) => character.charCodeAt(0))),
});

/** Bytes as they are; reading answers a copy. */
export const bytes = (offset: number, size: number): Field<Uint8Array> => ({
  offset,
  size,
  get: (view, at) => bytesOf(view, at, size).slice(),
  put: (view, at, value) => bytesOf(view, at, size).set(value),
});

/** A bigint as a number when it is whole, not negative and at most 2^53 − 1; `undefined` otherwise. */
export function safeNumber(value: bigint): number | undefined {
  return value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined;
}

function viewOf(source: Uint8Array, at: number, size: number): DataView {
  if (at < 0 || size > source.length - at) throw new RangeError(`a structure of ${size} bytes does not fit at ${at} of ${source.length}`);
  return new DataView(source.buffer, source.byteOffset + at, size);
}

function bytesOf(view: DataView, at: number, size: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, size);
}
