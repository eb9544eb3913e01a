import { randomUUID } from 'node:crypto';
import { createMemoryLocks } from '../../src/lib/memory-locks.ts';
import { systemRandom } from '../../src/lib/random.ts';
import type { Manifest, ManifestDisk, StoredManifest } from '../../src/model/manifest.ts';
import { type CreatePoolOptions, createPool, openPool, type PoolAccess } from '../../src/pool/open-pool.ts';
import type { Pool } from '../../src/pool/pool.ts';
import type { BlobStore } from '../../src/stores/blob-store.ts';
import { openMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { aMemoryDisk } from './memory-disk.ts';

export const KiB = 1024;
/** The smallest block size, so that small disks have several blocks. */
export const BLOCK = 64 * KiB;
/** Cheap, since tests guess no passphrases. */
export const cheapDerivation = { cost: 16, blockSize: 8, parallelization: 1 };

/** How tests open pools: one home, locks in memory, all in the calling thread. */
export function poolAccess(overrides: Partial<PoolAccess> = {}): PoolAccess {
  return {
    clock: { now: () => Date.UTC(2026, 10, 20) },
    random: systemRandom,
    locks: createMemoryLocks(),
    homeId: 'home-1',
    workers: 0,
    ...overrides,
  };
}

export interface TestPool {
  readonly store: BlobStore;
  readonly access: PoolAccess;
  readonly pool: Pool;
  readonly recoveryKey?: string;
  reopen(overrides?: Partial<PoolAccess>): Promise<Pool>;
}

export async function aPool(options: Partial<CreatePoolOptions> & { readonly store?: BlobStore } = {}): Promise<TestPool> {
  const { store = openMemoryStore(randomUUID()), ...rest } = options;
  const access = poolAccess(rest);
  const created = await createPool(store, { ...access, blockSize: BLOCK, keyDerivation: cheapDerivation, reserveBytes: 0, ...rest });
  return { store, access, ...created, reopen: (overrides = {}) => openPool(store, { ...access, ...overrides }) };
}

/** A manifest over disks as a sync would write it. */
export function aManifest(disks: readonly ManifestDisk[], overrides: Partial<Manifest> = {}): Manifest {
  return {
    version: 1,
    id: randomUUID(),
    kind: 'point',
    datasource: 'd'.repeat(32),
    host: 'lab',
    vm: { id: randomUUID(), name: 'Secret-VM-Name', generation: 2, os: 'linux', state: 'running' },
    capturedAt: '2026-11-20T10:00:00.000Z',
    createdAt: '2026-11-20T10:00:01.000Z',
    consistency: 'crash',
    tracking: 'initial',
    disks: [...disks],
    configuration: { json: { name: 'Secret-VM-Name' }, files: [] },
    bytesStored: 0,
    ...overrides,
  };
}

/** Stores the content of one disk; answers how a manifest names it. */
export async function storeDisk(
  writer: Awaited<ReturnType<Pool['beginWrite']>>,
  content: Uint8Array,
  blockSize = BLOCK,
): Promise<ManifestDisk> {
  const source = aMemoryDisk(content);
  const { root, dataBytes } = await writer.writeDisk({ source, leftOut: [], sample: false, verifyNew: true });
  return {
    index: 0,
    key: 'disk-key',
    path: 'disk0.vhdx',
    controller: 'scsi',
    format: 'vhdx',
    virtualSize: content.length,
    logicalSectorSize: 512,
    physicalSectorSize: 4096,
    blockSize,
    root,
    dataBytes,
    tracking: 'initial',
    leftOut: [],
  };
}

/** A point over one disk of this content, committed by a run of its own. */
export async function commitPoint(pool: Pool, content: Uint8Array, overrides: Partial<Manifest> = {}): Promise<StoredManifest> {
  await using writer = await pool.beginWrite();
  return await writer.commitManifest(aManifest([await storeDisk(writer, content)], overrides));
}

/** The whole content of a point's first disk. */
export async function restored(pool: Pool, { manifest }: StoredManifest): Promise<Buffer> {
  const disk = manifest.disks[0]!;
  const target = aMemoryDisk(disk.virtualSize);
  await pool.restoreDisk(disk, target);
  return Buffer.from(target.bytes);
}

/** Names of all objects, sorted. */
export async function objectNames(store: BlobStore, prefix = ''): Promise<string[]> {
  return (await Array.fromAsync(store.list(prefix))).map(({ name }) => name).sort();
}

/** Puts other bytes in an object's place, as a rotten disk would. */
export async function replaceObject(store: BlobStore, name: string, change: (bytes: Uint8Array) => Uint8Array): Promise<void> {
  const bytes = await store.get(name);
  await store.remove(name);
  await store.put(name, change(Uint8Array.from(bytes)));
}

export function flipBit(bytes: Uint8Array, at: number): Uint8Array {
  bytes[at]! ^= 1 << (at % 8);
  return bytes;
}
