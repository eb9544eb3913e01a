import type { z } from 'zod';
import { decodeObject, encodeObject, type ObjectKind } from './object-envelope.ts';
import type { PoolContext } from './pool-context.ts';
import { PoolObjectDamagedError } from './pool-errors.ts';

/** Writes a JSON payload as a new object; durable when this resolves. MABS-BLOB-EXISTS when the name is taken. */
export async function putJson(pool: PoolContext, name: string, kind: ObjectKind, payload: unknown): Promise<void> {
  await pool.store.put(name, encodeJson(pool, name, kind, payload));
}

export function encodeJson(pool: PoolContext, name: string, kind: ObjectKind, payload: unknown): Uint8Array {
  return encodeObject({ name, kind, poolId: pool.poolId }, pool.keys, pool.random.bytes(32), Buffer.from(JSON.stringify(payload)));
}

export async function getJson<T>(pool: PoolContext, name: string, kind: ObjectKind, schema: z.ZodType<T>): Promise<T> {
  return decodeJson(pool, name, kind, schema, await pool.store.get(name));
}

/** A payload read from bytes, which are verified, and held against its schema. */
export function decodeJson<T>(
  pool: Pick<PoolContext, 'poolId' | 'keys'>,
  name: string,
  kind: ObjectKind,
  schema: z.ZodType<T>,
  bytes: Uint8Array,
): T {
  const payload = decodeObject({ name, kind, poolId: pool.poolId }, pool.keys, bytes);
  try {
    return schema.parse(JSON.parse(payload.toString('utf8')));
  } catch (error) {
    throw new PoolObjectDamagedError(name, 0, 'its content is not what it should be', { cause: error });
  }
}
