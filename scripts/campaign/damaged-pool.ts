import { randomUUID } from 'node:crypto';
import { openMemoryCatalog } from '../../src/catalogs/memory/memory-catalog.ts';
import { checkPool, type PoolCheckReport } from '../../src/core/check-pool.ts';
import type { Ports } from '../../src/core/ports.ts';
import { refreshCatalog } from '../../src/core/refresh-catalog.ts';
import { createMemoryLocks } from '../../src/lib/memory-locks.ts';
import type { StoredManifest } from '../../src/model/manifest.ts';
import { openPool } from '../../src/pool/open-pool.ts';
import type { Pool } from '../../src/pool/pool.ts';
import type { BlobStore } from '../../src/stores/blob-store.ts';
import { openMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { aMemoryDisk } from '../../test/builders/memory-disk.ts';
import {
  aManifest,
  aPool,
  BLOCK,
  cheapDerivation,
  commitPoint,
  objectNames,
  restored,
  storeDisk,
  type TestPool,
} from '../../test/builders/pools.ts';
import type { SeededRandom } from './seeded-random.ts';

/** A point and what its disk holds. */
export interface KnownContent {
  readonly point: StoredManifest;
  readonly content: Buffer;
}

/** A pool with an object of every kind, points of two VMs that share blocks, and a home that has seen it whole. */
export interface SoundPool {
  readonly test: TestPool;
  readonly points: readonly KnownContent[];
  /** Those and the ones in the trash: everything that a sweep keeps. */
  readonly kept: readonly KnownContent[];
}

export async function aSoundPool(encrypt: boolean, random: SeededRandom): Promise<SoundPool> {
  const test = await aPool({ ...(encrypt ? { encrypt, passphrase: 'x', keyDerivation: cheapDerivation } : {}), reserveBytes: 4096 });
  const { pool } = test;
  if (encrypt) await pool.addKey('another');
  const points: KnownContent[] = [];
  let content = Buffer.concat([random.bytes(3 * BLOCK), Buffer.alloc(2 * BLOCK, 'text that compresses '), Buffer.alloc(BLOCK)]);
  for (let day = 0; day < 6; day += 1) {
    content = Buffer.from(content);
    random.bytes(BLOCK / 2).copy(content, random.below(5) * BLOCK);
    points.push({ point: await commitPoint(pool, content), content });
  }
  await pool.putRecord('group', 'group-1', { version: 1, name: 'servers' });
  await pool.putRecord('group', 'group-1', { version: 1, name: 'servers', more: true });
  await pool.putRecord('hold', points[2]!.point.manifest.id, { version: 1, reason: 'audit', owner: 'ada', at: '2026-11-20T10:00:00.000Z' });
  await pool.putRecord('base', 'base-1', { manifest: points[5]!.point.manifest.id });
  await pool.check({ depth: 'all' });
  // A sweep that waits for a writer leaves a list of what it condemned; a writer that died leaves its epoch and its packs.
  await pool.moveToTrash(points[1]!.point.seq, 'test');
  await pool.moveToTrash(points[3]!.point.seq, 'test');
  const living = await pool.beginWrite();
  await pool.purge([points[1]!.point.seq]);
  await pool.sweep();
  await living[Symbol.asyncDispose]();
  const dead = await (await test.reopen({ locks: createMemoryLocks() })).beginWrite();
  await storeDisk(dead, random.bytes(2 * BLOCK));
  const kept = points.filter((_, day) => day !== 1);
  return { test, points: kept.filter((_, day) => day !== 2), kept };
}

/** The same objects in another store. */
export async function copyOf(store: BlobStore): Promise<BlobStore> {
  const copy = openMemoryStore(randomUUID());
  for (const name of await objectNames(store)) await copy.put(name, await store.get(name));
  return copy;
}

/** The pool in a store as a home opens it that has seen the pool when it was whole. */
export async function openSeen(sound: SoundPool, store: BlobStore): Promise<{ readonly pool: Pool; check(): Promise<PoolCheckReport> }> {
  const access = { ...sound.test.access, locks: createMemoryLocks() };
  const pool = await openPool(store, access);
  const catalog = openMemoryCatalog();
  await refreshCatalog(catalog, sound.test.pool);
  await refreshCatalog(catalog, pool);
  const home = { listPools: async () => [{ name: 'main', id: pool.info.id, path: '' }] };
  const ports = { ...access, waitMs: 0, catalog, home, openPool: async () => pool } as unknown as Ports;
  return { pool, check: () => checkPool(ports, { pool: 'main', depth: 'all', resume: false }) };
}

/** The content of a point as restored, or the error that said it cannot be. */
export async function tryRestore(pool: Pool, { point }: KnownContent): Promise<Buffer | Error> {
  return restored(pool, point).catch((error: Error) => error);
}

/** What a consistency check does for the pool: everything is compared with the source, and stored again where the pool lost it. */
export async function bringBack(pool: Pool, { point, content }: KnownContent): Promise<void> {
  await using writer = await pool.beginWrite();
  const disk = point.manifest.disks[0]!;
  const base = { root: disk.root, virtualSize: disk.virtualSize, leftOut: [] };
  const written = await writer.writeDisk({ source: aMemoryDisk(content), base, leftOut: [], sample: false, verifyNew: true, mend: true });
  if (written.root !== disk.root) throw new Error('a consistency check made another disk of the same content');
  await writer.commitManifest(aManifest([disk], { kind: 'replica' }));
}
