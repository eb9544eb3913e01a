import { createHash } from 'node:crypto';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { PoolKeys } from './block.ts';
import { PoolNewerError, PoolObjectDamagedError } from './pool-errors.ts';
import { deriveObjectKey, pieceNonce, sealInto, TAG_BYTES, unseal } from './sealing.ts';

/** docs/formats/pool.md, Small objects. */
export const ENVELOPE_VERSION = 1;
export const CHECKSUM_BYTES = 32;
const HEADER_BYTES = 80;
const MAGIC = 'MABSOBJT';
const FLAG_SEALED = 1;
const FLAG_ZSTD = 2;
/** A hostile object cannot make us unfold more than this. */
const MAX_PAYLOAD_BYTES = 256 * 1024 * 1024;

/** What an object is; part of what is authenticated. The number is the format's. */
export const ObjectKind = { header: 1, key: 2, manifest: 3, record: 4, purged: 5, condemned: 6, epoch: 7 } as const;
export type ObjectKind = (typeof ObjectKind)[keyof typeof ObjectKind];

/** Where an object stands: nothing of this can be exchanged without being noticed. */
export interface ObjectPlace {
  readonly name: string;
  readonly kind: ObjectKind;
  readonly poolId: Uint8Array;
}

/** The stored form of a payload: sealed where keys are given, ended by a SHA-256 over the object's name and its bytes. */
export function encodeObject(place: ObjectPlace, keys: PoolKeys | undefined, salt: Uint8Array, payload: Uint8Array): Uint8Array {
  const compressed = payload.length > 256 ? zstdCompressSync(payload) : payload;
  const zstd = compressed.length < payload.length;
  const body = zstd ? compressed : payload;
  const storedLength = body.length + (keys ? TAG_BYTES : 0);
  const bytes = Buffer.alloc(HEADER_BYTES + storedLength + CHECKSUM_BYTES);
  bytes.write(MAGIC, 0, 'latin1');
  bytes.writeUInt16LE(ENVELOPE_VERSION, 8);
  bytes.writeUInt8(place.kind, 10);
  bytes.writeUInt8((keys ? FLAG_SEALED : 0) | (zstd ? FLAG_ZSTD : 0), 11);
  bytes.writeUInt32LE(storedLength, 12);
  bytes.writeUInt32LE(payload.length, 16);
  bytes.set(place.poolId, 32);
  bytes.set(salt, 48);
  if (keys) {
    const about = Buffer.concat([bytes.subarray(0, HEADER_BYTES), Buffer.from(place.name)]);
    sealInto(deriveObjectKey(keys.seal, salt, 'mabs 1 object'), pieceNonce(1, 0), about, body, bytes, HEADER_BYTES);
  } else bytes.set(body, HEADER_BYTES);
  bytes.set(checksumOf(place.name, bytes), bytes.length - CHECKSUM_BYTES);
  return bytes;
}

/** Holds an object against the checksum at its end, which needs no key. Answers the checksum. */
export function checkObject(name: string, bytes: Uint8Array): Buffer {
  if (bytes.length < HEADER_BYTES + CHECKSUM_BYTES) throw new PoolObjectDamagedError(name, 0, 'it is shorter than an object can be');
  const checksum = Buffer.from(bytes.subarray(bytes.length - CHECKSUM_BYTES));
  if (!checksumOf(name, bytes).equals(checksum)) throw new PoolObjectDamagedError(name, 0, 'its checksum is wrong');
  return checksum;
}

/** The payload of an object, verified to be what was stored under this name, in this pool. */
export function decodeObject(place: ObjectPlace, keys: PoolKeys | undefined, stored: Uint8Array): Buffer {
  const { name, kind, poolId } = place;
  checkObject(name, stored);
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.length);
  const damaged = (what: string, options?: ErrorOptions) => new PoolObjectDamagedError(name, 0, what, options);
  if (bytes.toString('latin1', 0, 8) !== MAGIC) throw damaged('it does not begin as an object of a pool does');
  const version = bytes.readUInt16LE(8);
  const flags = bytes.readUInt8(11);
  if (version !== ENVELOPE_VERSION || flags > (FLAG_SEALED | FLAG_ZSTD))
    throw new PoolNewerError(name, Math.max(version, ENVELOPE_VERSION + 1));
  if (bytes.readUInt8(10) !== kind) throw damaged('it is an object of another kind');
  if (!bytes.subarray(32, 48).equals(poolId)) throw damaged('it belongs to another pool');
  if (((flags & FLAG_SEALED) !== 0) !== (keys !== undefined)) throw damaged('it is not sealed as it should be');
  const storedLength = bytes.readUInt32LE(12);
  const rawLength = bytes.readUInt32LE(16);
  if (HEADER_BYTES + storedLength + CHECKSUM_BYTES !== bytes.length || rawLength > MAX_PAYLOAD_BYTES)
    throw damaged('its lengths are wrong');
  let body: Buffer = bytes.subarray(HEADER_BYTES, HEADER_BYTES + storedLength);
  if (keys) {
    const about = Buffer.concat([bytes.subarray(0, HEADER_BYTES), Buffer.from(name)]);
    const plain = unseal(deriveObjectKey(keys.seal, bytes.subarray(48, 80), 'mabs 1 object'), pieceNonce(1, 0), about, body);
    if (!plain) throw damaged('it was not sealed by this pool for this place');
    body = plain;
  }
  if ((flags & FLAG_ZSTD) === 0) return body;
  try {
    return zstdDecompressSync(body, { maxOutputLength: Math.max(1, rawLength) });
  } catch (error) {
    throw damaged('it cannot be decompressed', { cause: error });
  }
}

/** The pool that an object says it belongs to: for the one object that is read before the pool is known. */
export function poolIdOf(name: string, stored: Uint8Array): Uint8Array {
  checkObject(name, stored);
  return stored.slice(32, 48);
}

function checksumOf(name: string, bytes: Uint8Array): Buffer {
  return createHash('sha256')
    .update(`${name}\0`)
    .update(bytes.subarray(0, bytes.length - CHECKSUM_BYTES))
    .digest();
}
