import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { ManifestDisk } from '../../src/model/manifest.ts';
import { importPool } from '../../src/pool/open-pool.ts';
import type { Pool } from '../../src/pool/pool.ts';
import { openMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { aMemoryDisk } from '../builders/memory-disk.ts';
import { someBytes } from '../builders/pool-blocks.ts';
import { aManifest, aPool, BLOCK, commitPoint, flipBit, objectNames, replaceObject, restored } from '../builders/pools.ts';

const one = someBytes('one', 6 * BLOCK);
const two = someBytes('two', 6 * BLOCK);
/** Five of six blocks are those of `one`. */
const oneChanged = Buffer.concat([one.subarray(0, 5 * BLOCK), someBytes('change', BLOCK)]);
/** One of six blocks is that of `one`. */
const oneMostlyChanged = Buffer.concat([one.subarray(0, BLOCK), someBytes('change', 5 * BLOCK)]);

async function drop(pool: Pool, ...seqs: number[]): Promise<void> {
  for (const seq of seqs) await pool.moveToTrash(seq, 'test');
  await pool.purge(seqs);
}

async function write(writer: Awaited<ReturnType<Pool['beginWrite']>>, content: Uint8Array, base?: ManifestDisk) {
  const source = aMemoryDisk(content);
  const ranges = base ? { base: { root: base.root, virtualSize: base.virtualSize, leftOut: [] }, ranges: [] } : {};
  return await writer.writeDisk({ source, leftOut: [], sample: false, verifyNew: true, ...ranges });
}

describe.each([
  { what: 'a plain pool', options: {} },
  { what: 'an encrypted pool', options: { encrypt: true, passphrase: 'x' } },
])('sweeping $what', ({ options }) => {
  it('frees nothing that a live or a trashed point needs', async () => {
    const { pool, store } = await aPool(options);
    const live = await commitPoint(pool, one);
    const trashed = await commitPoint(pool, two);
    await pool.moveToTrash(trashed.seq, 'test');
    const before = await objectNames(store, 'packs/');
    expect(await pool.sweep()).toMatchObject({ bytesFreed: 0, deadBlocks: 0 });
    expect(await objectNames(store, 'packs/')).toEqual(before);
    expect((await restored(pool, live)).equals(one)).toBe(true);
    expect((await restored(pool, trashed)).equals(two)).toBe(true);
  });

  it('gives back the packs of a purged point, and says beforehand what that will be', async () => {
    const { pool, store, reopen } = await aPool(options);
    const live = await commitPoint(pool, one);
    const packsOfOne = await objectNames(store, 'packs/');
    const gone = await commitPoint(pool, two);
    const planned = await pool.planSweep({ without: [gone.seq] });
    expect(planned.packsToRemove.length).toBeGreaterThan(0);
    expect((await pool.planSweep()).deadBlocks).toBe(0);
    await drop(pool, gone.seq);
    expect(await pool.sweep()).toEqual(planned);
    expect(await objectNames(store, 'packs/')).toEqual(packsOfOne);
    expect(await objectNames(store, 'condemned/')).toEqual([]);
    expect(await objectNames(store, 'records/condemned/')).toEqual([]);
    for (const opened of [pool, await reopen()]) expect((await restored(opened, live)).equals(one)).toBe(true);
    expect((await pool.usage()).blocks).toBe(7);
    expect(await pool.sweep()).toMatchObject({ deadBlocks: 0, bytesFreed: 0 });
  });

  it('leaves a pack that is mostly live, and rewrites one that is mostly dead', async () => {
    const { pool, store } = await aPool(options);
    const gone = await commitPoint(pool, one);
    const live = await commitPoint(pool, oneChanged);
    await drop(pool, gone.seq);
    const mostlyLive = await pool.sweep();
    expect(mostlyLive.packsToRewrite).toEqual([]);
    expect(mostlyLive.deadBlocks).toBeGreaterThan(0);
    const next = await commitPoint(pool, oneMostlyChanged);
    await drop(pool, live.seq);
    const before = await pool.usage();
    const report = await pool.sweep();
    expect(report.packsToRewrite.length).toBeGreaterThan(0);
    for (const name of [...report.packsToRewrite, ...report.packsToRemove]) expect(await objectNames(store)).not.toContain(name);
    expect(before.storedBytes - (await pool.usage()).storedBytes).toBeGreaterThan(3 * BLOCK);
    expect((await restored(pool, next)).equals(oneMostlyChanged)).toBe(true);
  });

  it('waits for writers that began before its mark: L1, a point that re-uses blocks of one purged meanwhile', async () => {
    const { pool } = await aPool(options);
    const old = await commitPoint(pool, one);
    const writer = await pool.beginWrite();
    const re_used = await write(writer, one);
    expect(re_used.bytesTransferred).toBe(0);
    await drop(pool, old.seq);
    expect(await pool.sweep()).toMatchObject({ bytesFreed: 0, packsToRemove: [] });
    const disk = { ...old.manifest.disks[0]!, root: re_used.root };
    const point = await writer.commitManifest(aManifest([disk]));
    await writer[Symbol.asyncDispose]();
    expect(await pool.sweep()).toMatchObject({ bytesFreed: 0, deadBlocks: 0 });
    expect((await restored(pool, point)).equals(one)).toBe(true);
  });

  it('frees at the next sweep what an older writer had kept it from', async () => {
    const { pool, store } = await aPool(options);
    const gone = await commitPoint(pool, one);
    await commitPoint(pool, two);
    const writer = await pool.beginWrite();
    await drop(pool, gone.seq);
    expect((await pool.sweep()).bytesFreed).toBe(0);
    expect(await objectNames(store, 'condemned/')).toHaveLength(1);
    expect((await pool.sweep()).bytesFreed).toBe(0);
    await writer[Symbol.asyncDispose]();
    expect((await pool.sweep()).bytesFreed).toBeGreaterThan(6 * BLOCK);
    expect(await objectNames(store, 'condemned/')).toEqual([]);
  });

  it('removes no pack that a repair of the index is about to name', async () => {
    const { pool, store, access } = await aPool(options);
    await commitPoint(pool, one);
    for (const name of await objectNames(store, 'index/')) await store.remove(name);
    const [pack] = await objectNames(store, 'packs/');
    const lock = await access.locks.acquire(`pool-${pool.info.id}-index`, { what: 'a sweep', waitMs: 0 });
    const importing = importPool(store, access);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await store.remove(pack!);
    await lock[Symbol.asyncDispose]();
    const { damage } = await (await importing).check({ depth: 'structure' });
    expect(damage.map(({ file }) => file)).not.toContain(pack);
  });

  it('frees nothing by a damaged list of what is condemned, and goes on without it', async () => {
    const { pool, store } = await aPool(options);
    const gone = await commitPoint(pool, one);
    const kept = await commitPoint(pool, two);
    const older = await pool.beginWrite();
    await drop(pool, gone.seq);
    await pool.sweep();
    const [list] = await objectNames(store, 'condemned/');
    await replaceObject(store, list!, (bytes) => flipBit(bytes, 90));
    expect((await restored(pool, kept)).equals(two)).toBe(true);
    expect((await pool.check({ depth: 'all' })).damage.map(({ file }) => file)).toEqual([list]);
    // What a writer finds in the pool now may be about to go: it stores all anew.
    const younger = await pool.beginWrite();
    const written = await write(younger, two);
    const point = await younger.commitManifest(aManifest([{ ...kept.manifest.disks[0]!, root: written.root }]));
    await older[Symbol.asyncDispose]();
    await younger[Symbol.asyncDispose]();
    expect((await pool.sweep()).bytesFreed).toBeGreaterThan(6 * BLOCK);
    for (const whole of [kept, point]) expect((await restored(pool, whole)).equals(two)).toBe(true);
    expect(await pool.check({ depth: 'all' })).toMatchObject({ status: 'ok', damage: [] });
  });

  it('lets writers that begin after the mark store condemned blocks anew, and takes only the old copies', async () => {
    const { pool } = await aPool(options);
    const gone = await commitPoint(pool, one);
    const older = await pool.beginWrite();
    await drop(pool, gone.seq);
    expect((await pool.sweep()).bytesFreed).toBe(0);
    const younger = await pool.beginWrite();
    const written = await write(younger, one);
    expect(written.bytesTransferred).toBeGreaterThanOrEqual(6 * BLOCK);
    const point = await younger.commitManifest(aManifest([{ ...gone.manifest.disks[0]!, root: written.root }]));
    await older[Symbol.asyncDispose]();
    expect((await pool.sweep()).bytesFreed).toBeGreaterThan(6 * BLOCK);
    expect((await restored(pool, point)).equals(one)).toBe(true);
    await younger[Symbol.asyncDispose]();
  });

  it('keeps a writer that begins after the mark from building on a base that was purged', async () => {
    const { pool } = await aPool(options);
    const gone = await commitPoint(pool, one);
    const older = await pool.beginWrite();
    await drop(pool, gone.seq);
    await pool.sweep();
    const younger = await pool.beginWrite();
    const base = gone.manifest.disks[0]!;
    const written = await write(younger, one, base);
    const point = await younger.commitManifest(aManifest([{ ...base, root: written.root }]));
    await older[Symbol.asyncDispose]();
    await pool.sweep();
    expect((await restored(pool, point)).equals(one)).toBe(true);
    await younger[Symbol.asyncDispose]();
  });

  it('takes the older of two copies of a block, unless the newer one is damaged', async () => {
    const { pool, store } = await aPool(options);
    const point = await commitPoint(pool, one);
    const index = await objectNames(store, 'index/');
    const held = new Map(await Promise.all(index.map(async (name) => [name, await store.get(name)] as const)));
    for (const name of index) await store.remove(name);
    const again = await commitPoint(pool, one);
    for (const [name, bytes] of held) await store.put(name.replace('index/00000001', 'index/00000099'), bytes);
    const packs = await objectNames(store, 'packs/');
    const newer = packs.filter((name) => name.startsWith('packs/02/'));
    expect(newer.length).toBeGreaterThan(0);
    const saved = await store.get(newer[0]!);
    await store.remove(newer[0]!);
    await store.put(
      newer[0]!,
      Uint8Array.from(saved, (byte, at) => (at > 200 && at < 300 ? byte ^ 1 : byte)),
    );
    await pool.sweep();
    for (const each of [point, again]) expect((await restored(pool, each)).equals(one)).toBe(true);
  });
});

describe('a sweep', () => {
  it('refuses when packs that the index names are not listed', async () => {
    const { pool, store } = await aPool();
    const gone = await commitPoint(pool, one);
    await commitPoint(pool, two);
    await drop(pool, gone.seq);
    const [pack] = await objectNames(store, 'packs/');
    await store.remove(pack!);
    await expect(pool.sweep()).rejects.toMatchObject({ code: 'MABS-POOL-PACKS-MISSING', kind: 'damaged' });
    await expect(pool.planSweep()).rejects.toMatchObject({ code: 'MABS-POOL-PACKS-MISSING' });
  });

  it('refuses when a block that a point needs is in no segment of the index', async () => {
    const { pool, store } = await aPool();
    await commitPoint(pool, one);
    for (const name of await objectNames(store, 'index/')) await store.remove(name);
    await expect(pool.sweep()).rejects.toMatchObject({ code: 'MABS-BLOCK-MISSING', kind: 'damaged' });
  });

  it('gives space back on a full volume, with the room that was set aside', async () => {
    const { LimitedStore } = await import('../builders/limited-store.ts');
    const store = new LimitedStore(openMemoryStore(randomUUID()), Number.POSITIVE_INFINITY);
    const { pool } = await aPool({ store, reserveBytes: BLOCK });
    const gone = await commitPoint(pool, one);
    const live = await commitPoint(pool, two);
    store.limitBytes = (await pool.usage()).storedBytes + BLOCK + 100;
    await expect(commitPoint(pool, someBytes('three', BLOCK))).rejects.toMatchObject({ code: 'MABS-POOL-FULL', kind: 'space' });
    await drop(pool, gone.seq);
    expect((await pool.sweep()).bytesFreed).toBeGreaterThan(6 * BLOCK);
    expect((await restored(pool, live)).equals(two)).toBe(true);
    await commitPoint(pool, someBytes('three', BLOCK));
  });

  it('is one at a time', async () => {
    const { pool, access } = await aPool();
    await using _lock = await access.locks.acquire(`pool-${pool.info.id}-sweep`, { what: 'x', waitMs: 0 });
    await expect(pool.sweep()).rejects.toMatchObject({ code: 'MABS-LOCKED', kind: 'locked' });
  });

  it('goes on after a sweep that died at any of its operations', async () => {
    const { FaultyStore } = await import('../builders/faulty-store.ts');
    for (let stopAt = 1; ; stopAt += 1) {
      const prepared = await aPool();
      const gone = await commitPoint(prepared.pool, one);
      const live = await commitPoint(prepared.pool, oneMostlyChanged);
      const other = await commitPoint(prepared.pool, two);
      await drop(prepared.pool, gone.seq, other.seq);
      const faulty = new FaultyStore(prepared.store, { stopAt });
      const { openPool } = await import('../../src/pool/open-pool.ts');
      const { createMemoryLocks } = await import('../../src/lib/memory-locks.ts');
      const died = await openPool(faulty, { ...prepared.access, locks: createMemoryLocks() })
        .then((pool) => pool.sweep())
        .then(
          () => false,
          () => true,
        );
      const next = await prepared.reopen({ locks: createMemoryLocks() });
      expect((await restored(next, live)).equals(oneMostlyChanged)).toBe(true);
      await next.sweep();
      await next.sweep();
      expect((await restored(next, live)).equals(oneMostlyChanged)).toBe(true);
      expect(await objectNames(prepared.store, 'condemned/')).toEqual([]);
      expect((await next.planSweep()).bytesFreed).toBe(0);
      const stored = (await next.usage()).storedBytes;
      expect(stored).toBeLessThan(9 * BLOCK);
      if (!died) break;
    }
  });
});
