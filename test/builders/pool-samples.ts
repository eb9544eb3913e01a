import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { ManifestDisk } from '../../src/model/manifest.ts';
import { decodeObject, encodeObject, ObjectKind } from '../../src/pool/object-envelope.ts';
import { openPool } from '../../src/pool/open-pool.ts';
import type { Pool } from '../../src/pool/pool.ts';
import type { BlobStore } from '../../src/stores/blob-store.ts';
import type { ByteSample } from './byte-fuzzer.ts';
import { aManifest, aPool, BLOCK, commitPoint, objectNames, storeDisk, type TestPool } from './pools.ts';

const POOL_PAGE = 4096;
const PASSPHRASE = 'correct horse';

/** Every kind of object that a pool reads, each spoiled in a pool that is otherwise whole and belongs to another home. */
export async function poolSamples(): Promise<ByteSample[]> {
  const plain = await aFilledPool({});
  const sealed = await aFilledPool({ encrypt: true, passphrase: PASSPHRASE });
  return [...(await objectSamples(plain)), ...(await objectSamples(sealed)), ...(await jsonSamples(plain, sealed))];
}

/** Two points, one of them in the trash, records of each kind, and a list of what a sweep condemned. */
async function aFilledPool(options: { readonly encrypt?: boolean; readonly passphrase?: string }): Promise<TestPool> {
  const made = await aPool(options);
  const { pool } = made;
  const content = (text: string) => Buffer.alloc(3 * BLOCK + 100, text);
  const gone = await commitPoint(pool, content('one '));
  const trashed = await commitPoint(pool, content('two '));
  const writer = await pool.beginWrite();
  await writer.commitManifest(aManifest([await storeDisk(writer, content('three '))], { group: { id: 'g', name: 'group' } }));
  for (const { seq } of [gone, trashed]) await pool.moveToTrash(seq, 'test');
  await pool.purge([gone.seq]);
  // An older writer lives, so the list of what is condemned stays.
  await pool.sweep();
  await pool.putRecord('hold', trashed.manifest.id, { version: 1, reason: 'kept', owner: 'someone', at: '2026-11-20T10:00:00.000Z' });
  await pool.putRecord('group', 'group-1', { version: 1, name: 'servers', members: [] });
  return made;
}

async function objectSamples(made: TestPool): Promise<ByteSample[]> {
  const { store } = made;
  const names = (await objectNames(store)).filter((name) => name !== 'reserve');
  return await Promise.all(
    names.map(async (name): Promise<ByteSample> => {
      const content = await store.get(name);
      return { name, content, fix: fixOf(name), read: (bytes) => readWith(made, name, bytes) };
    }),
  );
}

/** Objects whose content is JSON, spoiled as such within an envelope that is right. */
async function jsonSamples(plain: TestPool, sealed: TestPool): Promise<ByteSample[]> {
  const samples: ByteSample[] = [];
  for (const [made, pattern] of [
    [plain, /^(manifests|records|purged|epochs)\/|^mabs-pool$/],
    [sealed, /^keys\//],
  ] as const) {
    for (const name of (await objectNames(made.store)).filter((each) => pattern.test(each))) {
      const place = { name, kind: kindOf(name), poolId: Buffer.from(made.pool.info.id, 'hex') };
      const json: unknown = JSON.parse(decodeObject(place, undefined, await made.store.get(name)).toString());
      const read = (bytes: Uint8Array) => readWith(made, name, encodeObject(place, undefined, new Uint8Array(32), bytes));
      samples.push({ name: `${name} (JSON)`, content: { json }, read });
    }
  }
  return samples;
}

function kindOf(name: string): ObjectKind {
  const [folder] = name.split('/');
  if (folder === 'manifests') return ObjectKind.manifest;
  if (folder === 'records') return ObjectKind.record;
  if (folder === 'purged') return ObjectKind.purged;
  if (folder === 'epochs') return ObjectKind.epoch;
  return folder === 'keys' ? ObjectKind.key : ObjectKind.header;
}

/** Opens the pool with one object exchanged and does everything with it that changes nothing. */
async function readWith({ store, access }: TestPool, name: string, bytes: Uint8Array): Promise<void> {
  const whole = await store.get(name);
  await exchange(store, name, bytes);
  try {
    await using pool = await openPool(store, { ...access, homeId: 'another home', passphrase: PASSPHRASE });
    await readAll(pool);
  } finally {
    await exchange(store, name, whole);
  }
}

async function readAll(pool: Pool): Promise<void> {
  await pool.check({ depth: 'all' });
  for (const kind of ['hold', 'group', 'owner', 'trash', 'condemned'] as const) await pool.latestRecords(kind);
  for (const { manifest } of await pool.listManifests()) {
    await pool.readBack(manifest);
    for (const disk of manifest.disks) await readEnds(pool, disk);
  }
  await pool.listTrash();
  await pool.usage();
  await pool.planSweep();
}

async function readEnds(pool: Pool, disk: ManifestDisk): Promise<void> {
  await using source = await pool.openDisk(disk);
  const bytes = new Uint8Array(Math.min(BLOCK + 1, source.sizeBytes));
  for (const offset of [0, source.sizeBytes - bytes.length]) await source.read(offset, bytes);
}

async function exchange(store: BlobStore, name: string, bytes: Uint8Array): Promise<void> {
  await store.remove(name);
  await store.put(name, bytes);
}

function fixOf(name: string): (bytes: Uint8Array) => void {
  if (name.startsWith('packs/')) return fixPack;
  if (name.startsWith('index/')) return fixPages;
  return (bytes) => {
    if (bytes.length < 32) return;
    const body = bytes.subarray(0, bytes.length - 32);
    bytes.set(createHash('sha256').update(`${name}\0`).update(body).digest(), body.length);
  };
}

function fixPack(bytes: Uint8Array): void {
  const pack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (pack.length < 256) return;
  const trailer = pack.subarray(pack.length - 128);
  const sealInCrc = (piece: Buffer) => piece.writeUInt32LE(crc32(piece.subarray(0, 124)), 124);
  const piece = (at: number, length: number) => pack.subarray(Math.min(at, pack.length), Math.min(at + length, pack.length));
  const [checks, table] = [Number(trailer.readBigUInt64LE(48)), Number(trailer.readBigUInt64LE(56))];
  trailer.writeUInt32LE(crc32(piece(checks, Math.max(0, table - checks))), 68);
  trailer.writeUInt32LE(crc32(piece(table, trailer.readUInt32LE(64))), 72);
  sealInCrc(pack.subarray(0, 128));
  sealInCrc(trailer);
}

function fixPages(bytes: Uint8Array): void {
  const pages = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + POOL_PAGE <= pages.length; at += POOL_PAGE) {
    const page = pages.subarray(at, at + POOL_PAGE);
    page.writeUInt32LE(crc32(page.subarray(0, 4048)), 4048);
    page.writeUInt32LE(at / POOL_PAGE, 4052);
    page.fill(0, 4056);
  }
}
