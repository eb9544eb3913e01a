import type { Clock } from '../lib/clock.ts';
import { MabsError } from '../lib/errors.ts';
import type { Locks } from '../lib/locks.ts';
import type { Random } from '../lib/random.ts';
import type { BlobStore } from '../stores/blob-store.ts';
import { OpenedPool } from './opened-pool.ts';
import type { Pool } from './pool.ts';
import type { PoolContext } from './pool-context.ts';
import { encodeHeader, FORMAT_VERSION, HEADER_NAME, type PoolHeader, readPoolHeader, where } from './pool-header.ts';
import {
  DEFAULT_DERIVATION,
  deriveKeys,
  type KeyDerivation,
  keyCheckOf,
  MASTER_KEY_BYTES,
  NeedsPassphraseError,
  unwrapKey,
  wrapKey,
} from './pool-keys.ts';
import { claimPool } from './pool-owner.ts';
import { PoolRecords } from './pool-records.ts';
import { formatRecoveryKey } from './recovery-key.ts';
import { makeReserve, RESERVE_BYTES } from './reserve.ts';

/** What a pool is opened with. */
export interface PoolAccess {
  readonly clock: Clock;
  readonly random: Random;
  readonly locks: Locks;
  readonly homeId: string;
  /** `--wait` in milliseconds. */
  readonly waitMs?: number;
  /** A passphrase or the recovery key; asked for only by an encrypted pool. */
  readonly passphrase?: string | (() => Promise<string>);
  /** Worker threads; the number of cores when absent, 0: all in the calling thread. */
  readonly workers?: number;
}

export interface CreatePoolOptions extends PoolAccess {
  readonly encrypt?: boolean;
  /** Bytes of the virtual disk in a block: a power of two from 64 KiB to 1 MiB; 256 KiB when absent. */
  readonly blockSize?: number;
  /** `size` takes zstd level 3 instead of 1. */
  readonly compression?: 'normal' | 'size';
  /** How expensive guessing a passphrase is. */
  readonly keyDerivation?: KeyDerivation;
  /** Room that is set aside for giving space back on a full volume. */
  readonly reserveBytes?: number;
}

const DEFAULT_BLOCK_SIZE = 256 * 1024;

/**
 * Makes a pool in an empty store, owned by the home, and opens it. The header is written last: what a crash leaves before that is no
 * pool and is cleared by the next try. The recovery key of an encrypted pool is told here.
 */
export async function createPool(
  store: BlobStore,
  options: CreatePoolOptions,
): Promise<{ readonly pool: Pool; readonly recoveryKey?: string }> {
  const { random, clock, blockSize = DEFAULT_BLOCK_SIZE, reserveBytes = RESERVE_BYTES } = options;
  if (!(Number.isInteger(Math.log2(blockSize)) && blockSize >= 65_536 && blockSize <= 1_048_576)) throw new BlockSizeError(blockSize);
  await clearForPool(store);
  const createdAt = new Date(clock.now()).toISOString();
  const master = options.encrypt ? random.bytes(MASTER_KEY_BYTES) : undefined;
  const header: PoolHeader = {
    format: 'mabs-pool',
    version: FORMAT_VERSION,
    id: Buffer.from(random.bytes(16)).toString('hex'),
    blockSize,
    mapFanOut: 256,
    hash: master ? 'hmac-sha256' : 'sha256',
    codec: 'zstd',
    cipher: master ? 'aes-256-gcm' : 'none',
    compressionLevel: options.compression === 'size' ? 3 : 1,
    createdAt,
    reserveBytes,
    ...(master ? { keyCheck: keyCheckOf(master) } : {}),
  };
  if (master) {
    const passphrase = await passphraseOf(store, options);
    await wrapKey({ store, header }, master, passphrase, { random, createdAt, derivation: options.keyDerivation ?? DEFAULT_DERIVATION });
  }
  const context = contextOf(store, header, master, options);
  await claimPool(context, new PoolRecords(context));
  await makeReserve(store, reserveBytes);
  await store.put(HEADER_NAME, encodeHeader(header, random.bytes(32)));
  const pool = openedPool(context, header, master, options);
  return master ? { pool, recoveryKey: formatRecoveryKey(master) } : { pool };
}

/** Opens a pool. A home that does not own it may read; it is fenced as soon as it writes. */
export async function openPool(store: BlobStore, access: PoolAccess): Promise<Pool> {
  const header = await readPoolHeader(store);
  const master = await masterOf(store, header, access);
  return openedPool(contextOf(store, header, master, access), header, master, access);
}

/** Opens a pool that was made elsewhere and makes the home the one that writes; what writers left unfinished is taken over too. */
export async function importPool(store: BlobStore, access: PoolAccess): Promise<Pool> {
  const header = await readPoolHeader(store);
  const master = await masterOf(store, header, access);
  const context = contextOf(store, header, master, access);
  await claimPool(context, new PoolRecords(context));
  const pool = openedPool(context, header, master, access);
  try {
    await pool.repairIndex();
    return pool;
  } catch (error) {
    await pool[Symbol.asyncDispose]();
    throw error;
  }
}

function openedPool(
  context: PoolContext,
  header: PoolHeader,
  master: Uint8Array | undefined,
  { workers, waitMs = 0 }: PoolAccess,
): OpenedPool {
  return new OpenedPool(context, header, { master, waitMs, ...(workers === undefined ? {} : { workers }) });
}

function contextOf(
  store: BlobStore,
  header: PoolHeader,
  master: Uint8Array | undefined,
  { random, clock, locks, homeId }: PoolAccess,
): PoolContext {
  const poolId = Uint8Array.from(Buffer.from(header.id, 'hex'));
  return { store, poolId, id: header.id, keys: master && deriveKeys(master, poolId), random, clock, locks, homeId };
}

async function masterOf(store: BlobStore, header: PoolHeader, access: PoolAccess): Promise<Uint8Array | undefined> {
  if (header.cipher === 'none') return undefined;
  return await unwrapKey({ store, header }, await passphraseOf(store, access));
}

async function passphraseOf(store: BlobStore, { passphrase }: PoolAccess): Promise<string> {
  const given = typeof passphrase === 'function' ? await passphrase() : passphrase;
  if (given === undefined) throw new NeedsPassphraseError(where(store));
  return given;
}

/** Refuses a store with anything in it but what a creation that died has left. */
async function clearForPool(store: BlobStore): Promise<void> {
  const names = (await Array.fromAsync(store.list(''))).map(({ name }) => name);
  if (names.includes(HEADER_NAME)) throw new PoolExistsError(where(store));
  const leftOver = /^(keys\/[0-9a-f]{16}|records\/owner\/pool\/\d{8}|reserve)$/;
  if (names.some((name) => !leftOver.test(name))) throw new NotEmptyError(where(store));
  for (const name of names) await store.remove(name);
  await store.removeTemporary('', () => false);
}

export class PoolExistsError extends MabsError {
  readonly code = 'MABS-POOL-EXISTS';
  readonly hint = 'Open it with `mabs pool import`, or name an empty folder.';
  constructor(path: string) {
    super(`${path} holds a pool already`);
  }
}

export class NotEmptyError extends MabsError {
  readonly code = 'MABS-POOL-NOT-EMPTY';
  readonly hint = 'Name an empty folder, or one that does not exist yet.';
  constructor(path: string) {
    super(`${path} is not empty`);
  }
}

export class BlockSizeError extends MabsError {
  readonly code = 'MABS-POOL-BLOCK-SIZE';
  readonly hint = 'Choose 64KiB, 128KiB, 256KiB, 512KiB or 1MiB.';
  override readonly kind = 'usage';
  constructor(blockSize: number) {
    super(`${blockSize} bytes cannot be the block size of a pool`);
  }
}
