import { z } from 'zod';
import { MabsError } from '../lib/errors.ts';
import { BlobMissingError, type BlobStore } from '../stores/blob-store.ts';
import { decodeJson } from './json-object.ts';
import { encodeObject, ObjectKind, poolIdOf } from './object-envelope.ts';
import { PoolNewerError } from './pool-errors.ts';

export const HEADER_NAME = 'mabs-pool';
export const FORMAT_VERSION = 1;

const versionSchema = z.object({ version: z.number().int().positive() });

/** The one object that is read first; written last when a pool is made, and never changed. */
const headerSchema = z.object({
  format: z.literal('mabs-pool'),
  version: z.literal(FORMAT_VERSION),
  id: z.string().regex(/^[0-9a-f]{32}$/),
  blockSize: z
    .number()
    .int()
    .min(65_536)
    .max(1_048_576)
    .refine((size) => Number.isInteger(Math.log2(size))),
  mapFanOut: z.literal(256),
  hash: z.enum(['sha256', 'hmac-sha256']),
  codec: z.literal('zstd'),
  cipher: z.enum(['none', 'aes-256-gcm']),
  compressionLevel: z.number().int().min(1).max(19),
  createdAt: z.string(),
  /** Size of the object `reserve`; 0: the pool has none. */
  reserveBytes: z
    .number()
    .int()
    .min(0)
    .max(2 ** 30),
  /** HMAC-SHA-256 of the words `mabs key check` under the master key, first 16 bytes in hex; tells a right key from a wrong one. */
  keyCheck: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional(),
});

export type PoolHeader = z.infer<typeof headerSchema>;

export function encodeHeader(header: PoolHeader, salt: Uint8Array): Uint8Array {
  const place = { name: HEADER_NAME, kind: ObjectKind.header, poolId: Buffer.from(header.id, 'hex') };
  return encodeObject(place, undefined, salt, Buffer.from(JSON.stringify(header)));
}

/** Reads what a pool says of itself, without any key. MABS-POOL-NOT-FOUND where there is no pool, MABS-POOL-NEWER for a later format. */
export async function readPoolHeader(store: BlobStore): Promise<PoolHeader> {
  let bytes: Uint8Array;
  try {
    bytes = await store.get(HEADER_NAME, 65_536);
  } catch (error) {
    if (error instanceof BlobMissingError) throw new NoPoolError(where(store), { cause: error });
    throw error;
  }
  const pool = { poolId: poolIdOf(HEADER_NAME, bytes), keys: undefined };
  const { version } = decodeJson(pool, HEADER_NAME, ObjectKind.header, versionSchema, bytes);
  if (version > FORMAT_VERSION) throw new PoolNewerError(HEADER_NAME, version);
  const header = decodeJson(pool, HEADER_NAME, ObjectKind.header, headerSchema, bytes);
  return header;
}

export function where({ descriptor }: BlobStore): string {
  return descriptor.type === 'local' ? descriptor.path : `memory:${descriptor.id}`;
}

export class NoPoolError extends MabsError {
  readonly code = 'MABS-POOL-NOT-FOUND';
  readonly hint = 'Name the folder that holds the file `mabs-pool`, and check that its volume is connected.';
  constructor(path: string, options?: ErrorOptions) {
    super(`there is no pool in ${path}`, options);
  }
}
