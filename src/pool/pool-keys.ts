import { createHmac, hkdfSync, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';
import { MabsError } from '../lib/errors.ts';
import type { Random } from '../lib/random.ts';
import { BlobMissingError, type BlobStore } from '../stores/blob-store.ts';
import type { PoolKeys } from './block.ts';
import { decodeJson } from './json-object.ts';
import { encodeObject, ObjectKind } from './object-envelope.ts';
import type { PoolHeader } from './pool-header.ts';
import { parseRecoveryKey } from './recovery-key.ts';
import { pieceNonce, sealInto, TAG_BYTES, unseal } from './sealing.ts';

export const MASTER_KEY_BYTES = 32;

/** Parameters of scrypt: `cost` is N. 32768 and 8 take 32 MiB and some 100 ms. */
export interface KeyDerivation {
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
}

export const DEFAULT_DERIVATION: KeyDerivation = { cost: 32_768, blockSize: 8, parallelization: 1 };

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));

/** The master key under one passphrase. Bounds keep a hostile file from taking all memory. */
const keySchema = z.object({
  version: z.literal(1),
  kind: z.enum(['passphrase', 'recovery']),
  createdAt: z.string(),
  kdf: z.object({
    name: z.literal('scrypt'),
    cost: z
      .number()
      .int()
      .min(2)
      .max(2 ** 20)
      .refine((cost) => Number.isInteger(Math.log2(cost))),
    blockSize: z.number().int().min(1).max(16),
    parallelization: z.number().int().min(1).max(4),
    salt: hex(32),
  }),
  wrapped: hex(MASTER_KEY_BYTES + TAG_BYTES),
});

export interface KeyInfo {
  readonly keyId: string;
  readonly kind: 'passphrase' | 'recovery';
  readonly createdAt: string;
}

/** What to open a pool's keys with: where they lie and which pool they belong to. */
export interface KeyRing {
  readonly store: BlobStore;
  readonly header: PoolHeader;
}

const scryptAsync = promisify<string, Uint8Array, number, object, Buffer>(scrypt);

/** Separate keys for separate purposes, so that a block's id tells nothing of what seals it. */
export function deriveKeys(master: Uint8Array, poolId: Uint8Array): PoolKeys {
  const derive = (purpose: string) => new Uint8Array(hkdfSync('sha256', master, poolId, purpose, 32));
  return { id: derive('mabs 1 block ids'), seal: derive('mabs 1 sealing') };
}

export function keyCheckOf(master: Uint8Array): string {
  return createHmac('sha256', master).update('mabs key check').digest('hex').slice(0, 32);
}

/** Wraps the master key under a passphrase and stores it; answers the new key's id. */
export async function wrapKey(
  ring: KeyRing,
  master: Uint8Array,
  passphrase: string,
  options: { readonly random: Random; readonly createdAt: string; readonly derivation: KeyDerivation },
): Promise<string> {
  const { random, createdAt, derivation } = options;
  if (passphrase.length === 0) throw new EmptyPassphraseError();
  const keyId = Buffer.from(random.bytes(8)).toString('hex');
  const salt = random.bytes(32);
  const wrapping = await derive(passphrase, salt, derivation);
  const wrapped = new Uint8Array(MASTER_KEY_BYTES + TAG_BYTES);
  sealInto(wrapping, pieceNonce(2, 0), aboutKey(ring.header, keyId), master, wrapped, 0);
  const kdf = { name: 'scrypt', ...derivation, salt: Buffer.from(salt).toString('hex') };
  const payload = { version: 1, kind: 'passphrase', createdAt, kdf, wrapped: Buffer.from(wrapped).toString('hex') };
  const place = { name: `keys/${keyId}`, kind: ObjectKind.key, poolId: Buffer.from(ring.header.id, 'hex') };
  await ring.store.put(place.name, encodeObject(place, undefined, random.bytes(32), Buffer.from(JSON.stringify(payload))));
  return keyId;
}

/**
 * The master key by a passphrase or by the recovery key. A damaged key file does not keep another key from opening the pool.
 * MABS-POOL-PASSPHRASE when nothing fits.
 */
export async function unwrapKey(ring: KeyRing, passphrase: string): Promise<Uint8Array> {
  const recovered = parseRecoveryKey(passphrase);
  if (recovered && keyCheckOf(recovered) === ring.header.keyCheck) return recovered;
  let trouble: unknown;
  for (const keyId of await listKeyIds(ring.store)) {
    try {
      const { kdf, wrapped } = await readKey(ring, keyId);
      const wrapping = await derive(passphrase, Buffer.from(kdf.salt, 'hex'), kdf);
      const master = unseal(wrapping, pieceNonce(2, 0), aboutKey(ring.header, keyId), Buffer.from(wrapped, 'hex'));
      if (master && keyCheckOf(master) === ring.header.keyCheck) return Uint8Array.from(master);
    } catch (error) {
      if (!(error instanceof MabsError)) throw error;
      trouble = error;
    }
  }
  throw trouble ?? new WrongPassphraseError();
}

export async function listKeys(ring: KeyRing): Promise<KeyInfo[]> {
  const keys: KeyInfo[] = [];
  for (const keyId of await listKeyIds(ring.store)) {
    const { kind, createdAt } = await readKey(ring, keyId);
    keys.push({ keyId, kind, createdAt });
  }
  return keys.sort((a, b) => a.createdAt.localeCompare(b.createdAt));
}

/** Removes a key, but never the last one. */
export async function removeKey(ring: KeyRing, keyId: string): Promise<void> {
  const keyIds = await listKeyIds(ring.store);
  if (!keyIds.includes(keyId)) throw new UnknownKeyError(keyId);
  if (keyIds.length === 1) throw new LastKeyError();
  await ring.store.remove(`keys/${keyId}`);
}

async function listKeyIds(store: BlobStore): Promise<string[]> {
  const names = (await Array.fromAsync(store.list('keys/'))).map(({ name }) => name.slice('keys/'.length));
  return names.filter((name) => /^[0-9a-f]{16}$/.test(name)).sort();
}

async function readKey({ store, header }: KeyRing, keyId: string): Promise<z.infer<typeof keySchema>> {
  const name = `keys/${keyId}`;
  const pool = { poolId: Buffer.from(header.id, 'hex'), keys: undefined };
  try {
    return decodeJson(pool, name, ObjectKind.key, keySchema, await store.get(name, 65_536));
  } catch (error) {
    if (error instanceof BlobMissingError) throw new UnknownKeyError(keyId);
    throw error;
  }
}

/** What a wrapped key is about: what the header says of the pool, so that nobody can turn its parameters under the key. */
function aboutKey({ id, blockSize, hash, cipher, keyCheck }: PoolHeader, keyId: string): Uint8Array {
  return Buffer.from([keyId, id, blockSize, hash, cipher, keyCheck].join('\n'));
}

function derive(passphrase: string, salt: Uint8Array, { cost, blockSize, parallelization }: KeyDerivation): Promise<Buffer> {
  const maxmem = 256 * cost * blockSize * parallelization + 65_536;
  return scryptAsync(passphrase.normalize('NFC'), salt, 32, { N: cost, r: blockSize, p: parallelization, maxmem });
}

export class WrongPassphraseError extends MabsError {
  readonly code = 'MABS-POOL-PASSPHRASE';
  readonly hint = 'Give one of the pool’s passphrases or its recovery key, with --passphrase-file or --passphrase-command.';
  constructor() {
    super('the passphrase does not open this pool');
  }
}

export class NeedsPassphraseError extends MabsError {
  readonly code = 'MABS-POOL-NEEDS-PASSPHRASE';
  readonly hint = 'Give its passphrase or recovery key, with --passphrase-file or --passphrase-command.';
  constructor(path: string) {
    super(`the pool in ${path} is encrypted`);
  }
}

export class EmptyPassphraseError extends MabsError {
  readonly code = 'MABS-PASSPHRASE-EMPTY';
  readonly hint = 'Give a passphrase of at least one character.';
  override readonly kind = 'usage';
  constructor() {
    super('the passphrase is empty');
  }
}

export class UnknownKeyError extends MabsError {
  readonly code = 'MABS-POOL-KEY-UNKNOWN';
  readonly hint = '`mabs pool show` lists the ids of the pool’s keys.';
  constructor(keyId: string) {
    super(`the pool has no key ${keyId}`);
  }
}

export class LastKeyError extends MabsError {
  readonly code = 'MABS-POOL-KEY-LAST';
  readonly hint = 'Add another passphrase first, with `mabs pool key add`.';
  constructor() {
    super('this is the last key of the pool: without it nothing could be read');
  }
}

export class NotEncryptedError extends MabsError {
  readonly code = 'MABS-POOL-NOT-ENCRYPTED';
  readonly hint = 'Encryption is chosen when a pool is made: `mabs pool add --encrypt`.';
  constructor() {
    super('the pool is not encrypted and has no keys');
  }
}
