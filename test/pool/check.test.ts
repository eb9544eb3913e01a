import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { openPool } from '../../src/pool/open-pool.ts';
import type { BlobStore } from '../../src/stores/blob-store.ts';
import { openLocalStore } from '../../src/stores/local/local-store.ts';
import { openMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { aMemoryDisk } from '../builders/memory-disk.ts';
import { someBytes } from '../builders/pool-blocks.ts';
import { aManifest, aPool, BLOCK, commitPoint, flipBit, objectNames, replaceObject, restored } from '../builders/pools.ts';

const one = someBytes('one', 3 * BLOCK);
const two = Buffer.concat([one.subarray(0, BLOCK), someBytes('two', BLOCK)]);

async function copyOf(store: BlobStore): Promise<BlobStore> {
  const copy = openMemoryStore(randomUUID());
  for (const name of await objectNames(store)) await copy.put(name, await store.get(name));
  return copy;
}

/** The pack with the data rather than the map. */
async function largestOf(store: BlobStore, names: readonly string[]): Promise<string> {
  const sized = await Promise.all(names.map(async (name) => ({ name, size: (await store.get(name)).length })));
  return sized.sort((a, b) => b.size - a.size)[0]!.name;
}

describe.each([
  { what: 'a plain pool', options: { encrypt: false } },
  { what: 'an encrypted pool', options: { encrypt: true, passphrase: 'x' } },
])('checking $what', ({ options }) => {
  it('finds nothing wrong where nothing is, and proves every manifest', async () => {
    const { pool } = await aPool(options);
    const points = [await commitPoint(pool, one), await commitPoint(pool, two)];
    for (const depth of ['structure', 'new', 'sample', 'all'] as const) {
      expect(await pool.check({ depth })).toMatchObject({ status: 'ok', damage: [], complete: true });
    }
    const { verified, blocksRead, bytesRead } = await pool.check({ depth: 'all' });
    expect([...verified].sort()).toEqual(points.map(({ manifest }) => manifest.id).sort());
    expect(blocksRead).toBe(6);
    expect(bytesRead).toBeGreaterThan(4 * BLOCK);
  });

  it('finds one wrong bit in any object, and nothing is ever restored wrong', async () => {
    const { pool, store, access } = await aPool(options);
    const content = Buffer.alloc(BLOCK, 'some text that compresses ');
    const point = await commitPoint(pool, content);
    await pool.putRecord('hold', 'point-1', { reason: 'test' });
    await commitPoint(pool, content);
    await commitPoint(pool, content);
    await pool.moveToTrash(2, 'test');
    await pool.purge([2]);
    for (const name of await objectNames(store)) {
      const { length } = await store.get(name);
      const step = Math.max(1, Math.floor(length / 16));
      for (let at = 0; at < length; at += step) {
        const copy = await copyOf(store);
        await replaceObject(copy, name, (bytes) => flipBit(bytes, at));
        const opened = await openPool(copy, access).catch((error) => error);
        if (opened instanceof Error) {
          expect(opened).toMatchObject({ kind: 'damaged' });
          continue;
        }
        const bytes = await restored(opened, point).catch((error) => error);
        if (bytes instanceof Error) expect(bytes).toMatchObject({ kind: 'damaged' });
        else expect(bytes.equals(content)).toBe(true);
        const { status, damage } = await opened.check({ depth: 'all' });
        expect({ name, at, status }).not.toMatchObject({ status: 'ok' });
        expect(damage.map(({ file }: { file: string }) => file)).toContain(name);
      }
    }
  });

  it('names the points that a damaged block concerns, and no others', async () => {
    const { pool, store } = await aPool(options);
    const first = await commitPoint(pool, one);
    const packs = await objectNames(store, 'packs/');
    const second = await commitPoint(pool, someBytes('other', 2 * BLOCK));
    const file = await largestOf(store, packs);
    await replaceObject(store, file, (bytes) => flipBit(bytes, 1000));
    const { status, damage, verified } = await pool.check({ depth: 'all' });
    expect(status).toBe('damaged');
    expect(damage).toEqual([{ file, offset: 128, kind: 'block', affectedPoints: [first.manifest.id] }]);
    expect(verified).toEqual([second.manifest.id]);
    expect((await pool.check({ depth: 'new' })).damage).toEqual(damage);
    expect((await pool.check({ depth: 'structure' })).status).toBe('ok');
  });

  it('says which points need a pack that is gone', async () => {
    const { pool, store } = await aPool(options);
    const first = await commitPoint(pool, one);
    const packs = await objectNames(store, 'packs/');
    await commitPoint(pool, someBytes('other', 2 * BLOCK));
    const file = await largestOf(store, packs);
    await store.remove(file);
    const { status, damage } = await pool.check({ depth: 'structure' });
    expect(status).toBe('damaged');
    expect(damage).toEqual([{ file, offset: 0, kind: 'missing', affectedPoints: [first.manifest.id] }]);
  });

  it('is content once a consistency check has stored the damaged block again', async () => {
    const { pool, store } = await aPool(options);
    const point = await commitPoint(pool, one);
    for (const name of await objectNames(store, 'packs/')) await replaceObject(store, name, (bytes) => flipBit(bytes, 140));
    expect((await pool.check({ depth: 'all' })).status).toBe('damaged');
    const writer = await pool.beginWrite();
    const disk = point.manifest.disks[0]!;
    const written = await writer.writeDisk({
      source: aMemoryDisk(one),
      base: { root: disk.root, virtualSize: disk.virtualSize, leftOut: [] },
      leftOut: [],
      sample: false,
      verifyNew: true,
      mend: true,
    });
    await writer.commitManifest(aManifest([{ ...disk, root: written.root }]));
    await writer[Symbol.asyncDispose]();
    expect(written.blocksMended).toBeGreaterThan(0);
    expect((await restored(pool, point)).equals(one)).toBe(true);
    expect((await pool.check({ depth: 'all' })).status).not.toBe('damaged');
    expect(await pool.check({ depth: 'all' })).toMatchObject({ status: 'ok', damage: [] });
    expect((await restored(pool, point)).equals(one)).toBe(true);
  });

  it.each(['the checksums', 'the table', 'the trailer'])(
    'names the points of a pack of which %s is damaged, and replaces it',
    async (part) => {
      const { pool, store } = await aPool(options);
      const point = await commitPoint(pool, one);
      const file = await largestOf(store, await objectNames(store, 'packs/'));
      const { length } = await store.get(file);
      const at = {
        'the checksums': 128 + 3 * BLOCK + (options.encrypt ? 3 * 16 : 0) + 1,
        'the table': length - 140,
        'the trailer': length - 60,
      }[part]!;
      await replaceObject(store, file, (bytes) => flipBit(bytes, at));
      const { status, damage } = await pool.check({ depth: 'all' });
      expect(status).toBe('damaged');
      expect(damage).toMatchObject([{ file, kind: 'structure', affectedPoints: [point.manifest.id] }]);
      expect(await pool.check({ depth: 'all' })).toMatchObject({ status: 'ok', damage: [] });
      expect(await objectNames(store)).not.toContain(file);
      expect((await restored(pool, point)).equals(one)).toBe(true);
    },
  );

  it('forgets a pack that is gone once everything in it was stored again', async () => {
    const { pool, store } = await aPool(options);
    const point = await commitPoint(pool, one);
    const file = await largestOf(store, await objectNames(store, 'packs/'));
    await store.remove(file);
    expect((await pool.check({ depth: 'all' })).status).toBe('damaged');
    const disk = point.manifest.disks[0]!;
    await using writer = await pool.beginWrite();
    await writer.writeDisk({
      source: aMemoryDisk(one),
      base: { root: disk.root, virtualSize: disk.virtualSize, leftOut: [] },
      leftOut: [],
      sample: false,
      verifyNew: true,
      mend: true,
    });
    await writer[Symbol.asyncDispose]();
    await pool.check({ depth: 'all' });
    expect(await pool.check({ depth: 'all' })).toMatchObject({ status: 'ok', damage: [] });
    expect((await restored(pool, point)).equals(one)).toBe(true);
    await pool.sweep();
  });

  it('takes nothing away while a page of a map is damaged, whatever else is', async () => {
    const { pool, store } = await aPool(options);
    await commitPoint(pool, one);
    const packs = await objectNames(store, 'packs/');
    for (const name of packs) await replaceObject(store, name, (bytes) => flipBit(bytes, 140));
    expect((await pool.check({ depth: 'all' })).status).toBe('damaged');
    expect(await objectNames(store, 'packs/')).toEqual(packs);
  });

  it('makes a lost or damaged index whole', async () => {
    const { pool, store } = await aPool(options);
    const point = await commitPoint(pool, one);
    const [segment] = await objectNames(store, 'index/');
    await replaceObject(store, segment!, (bytes) => flipBit(bytes, 5));
    expect(await pool.check({ depth: 'all' })).toMatchObject({ status: 'repaired', damage: [{ file: segment, kind: 'index' }] });
    expect(await pool.check({ depth: 'all' })).toMatchObject({ status: 'ok' });
    for (const name of await objectNames(store, 'index/')) await store.remove(name);
    expect(await pool.check({ depth: 'structure' })).toMatchObject({ status: 'repaired' });
    expect(await pool.check({ depth: 'structure' })).toMatchObject({ status: 'ok' });
    expect((await restored(pool, point)).equals(one)).toBe(true);
  });
});

describe('a check', () => {
  it('ends when its budget is used up, and goes on from there', async () => {
    let now = 0;
    const { pool } = await aPool({ clock: { now: () => now } });
    for (let at = 0; at < 5; at += 1) await commitPoint(pool, someBytes(`${at}`, BLOCK));
    const whole = await pool.check({ depth: 'all' });
    const onProgress = () => {
      now += 10;
    };
    let read = 0;
    let resume = false;
    let runs = 0;
    for (let complete = false; !complete; resume = true, runs += 1) {
      const part = await pool.check({ depth: 'all', budgetMs: 25, resume, onProgress });
      read += part.bytesRead;
      complete = part.complete;
    }
    expect(read).toBe(whole.bytesRead);
    expect(runs).toBeGreaterThan(2);
  });

  it('reads only what was never proven, with `new`', async () => {
    const { pool } = await aPool();
    const first = await commitPoint(pool, one);
    const second = await commitPoint(pool, someBytes('other', BLOCK));
    const { verified, blocksRead } = await pool.check({ depth: 'new', alreadyVerified: new Set([first.manifest.id]) });
    expect(verified).toEqual([second.manifest.id]);
    expect(blocksRead).toBe(1);
  });

  it('does the same in worker threads', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mabs-check-'));
    try {
      const { pool, store, reopen } = await aPool({ store: openLocalStore(folder) });
      const point = await commitPoint(pool, one);
      const threaded = await reopen({ workers: 2 });
      expect(await threaded.check({ depth: 'all' })).toEqual(await pool.check({ depth: 'all' }));
      const name = (await objectNames(store, 'packs/')).sort()[0]!;
      await replaceObject(store, name, (bytes) => flipBit(bytes, 200));
      const found = await threaded.check({ depth: 'all' });
      expect(found).toMatchObject({ status: 'damaged', damage: [{ file: name, offset: 128, affectedPoints: [point.manifest.id] }] });
      expect(found).toEqual(await pool.check({ depth: 'all' }));
      await threaded[Symbol.asyncDispose]();
      await pool[Symbol.asyncDispose]();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
