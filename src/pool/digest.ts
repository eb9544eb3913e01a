import { createHmac, hash } from 'node:crypto';
import type { PoolKeys } from './block.ts';

/** Digest of a block, page or disk: 32 bytes. */
export type Digester = (bytes: Uint8Array) => Buffer;

/** SHA-256, or HMAC-SHA-256 under the pool's id key, so that an encrypted pool's digests tell nothing of known content. */
export function createDigester(keys: PoolKeys | undefined): Digester {
  if (!keys) return (bytes) => hash('sha256', bytes, 'buffer');
  const { id } = keys;
  return (bytes) => createHmac('sha256', id).update(bytes).digest();
}
