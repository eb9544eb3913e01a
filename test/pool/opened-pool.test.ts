import { describe, expect, it } from '@jest/globals';
import { createMemoryLocks } from '../../src/lib/memory-locks.ts';
import { importPool, openPool } from '../../src/pool/open-pool.ts';
import { someBytes } from '../builders/pool-blocks.ts';
import {
  aManifest,
  aPool,
  BLOCK,
  cheapDerivation,
  commitPoint,
  flipBit,
  objectNames,
  replaceObject,
  restored,
  storeDisk,
} from '../builders/pools.ts';

const day1 = someBytes('day 1', 5 * BLOCK + 1000);
const day2 = Buffer.concat([day1.subarray(0, BLOCK), someBytes('day 2', BLOCK), day1.subarray(2 * BLOCK)]);

describe.each([
  { what: 'a plain pool', options: {} },
  { what: 'an encrypted pool', options: { encrypt: true, passphrase: 'correct horse' } },
])('$what', ({ options }) => {
  it('gives back every point, in this opening and in the next', async () => {
    const { pool, reopen } = await aPool(options);
    const first = await commitPoint(pool, day1);
    const second = await commitPoint(pool, day2);
    expect([first.seq, second.seq]).toEqual([1, 2]);
    const again = await reopen();
    for (const opened of [pool, again]) {
      expect(await opened.listManifests()).toEqual([first, second]);
      expect((await restored(opened, first)).equals(day1)).toBe(true);
      expect((await restored(opened, second)).equals(day2)).toBe(true);
    }
  });

  it('stores a block once, however many disks have it', async () => {
    const { pool, store } = await aPool(options);
    await commitPoint(pool, day1);
    const before = (await pool.usage()).blocks;
    const packs = await objectNames(store, 'packs/');
    await commitPoint(pool, day1);
    expect((await pool.usage()).blocks).toBe(before);
    expect(await objectNames(store, 'packs/')).toEqual(packs);
  });

  it('tells nothing of a VM by the names of its objects', async () => {
    const { pool, store } = await aPool(options);
    await commitPoint(pool, day1);
    for (const name of await objectNames(store)) expect(name).not.toContain('Secret');
  });

  it('keeps the highest record of an owner, and the one before it', async () => {
    const { pool, store } = await aPool(options);
    for (const reason of ['one', 'two', 'three']) await pool.putRecord('hold', 'point-1', { reason });
    await pool.putRecord('hold', 'point-2', { reason: 'other' });
    expect(await pool.latestRecord('hold', 'point-1')).toEqual({ kind: 'hold', owner: 'point-1', number: 3, payload: { reason: 'three' } });
    expect([...(await pool.latestRecords('hold')).keys()].sort()).toEqual(['point-1', 'point-2']);
    expect(await objectNames(store, 'records/hold/point-1/')).toEqual(['records/hold/point-1/00000002', 'records/hold/point-1/00000003']);
    expect(await pool.latestRecord('hold', 'point-3')).toBeUndefined();
  });

  it('lists no point that is in the trash, and still restores it', async () => {
    const { pool } = await aPool(options);
    const point = await commitPoint(pool, day1);
    await pool.moveToTrash(point.seq, 'retention');
    await pool.moveToTrash(point.seq, 'again');
    expect(await pool.listManifests()).toEqual([]);
    expect((await pool.listRoll()).live).toEqual([]);
    const [trashed] = await pool.listTrash();
    expect(trashed).toEqual({ ...point, trashedAt: '2026-11-20T00:00:00.000Z', reason: 'retention' });
    expect((await restored(pool, trashed!)).equals(day1)).toBe(true);
  });

  it('never uses the number of a purged manifest again', async () => {
    const { pool, store } = await aPool(options);
    const points = [await commitPoint(pool, day1), await commitPoint(pool, day2), await commitPoint(pool, day1)];
    for (const { seq } of points) await pool.moveToTrash(seq, 'test');
    await pool.purge([2, 3]);
    expect(await pool.listTrash()).toHaveLength(1);
    expect(await objectNames(store, 'records/trash/')).toHaveLength(1);
    await pool.purge([1]);
    expect((await commitPoint(pool, day1)).seq).toBe(4);
    expect((await pool.listRoll()).live).toEqual([4]);
    expect([1, 2, 3, 4, 5].map((await pool.listRoll()).isExplained)).toEqual([true, true, true, true, false]);
    expect(await pool.listManifests({ strict: true })).toHaveLength(1);
  });

  it('takes no manifest for lost that a listing missed because it was being committed', async () => {
    const { store, access, pool } = await aPool(options);
    for (const day of [day1, day2, day1]) await commitPoint(pool, day);
    let missed = false;
    const hasty = new Proxy(store, {
      get(target, key) {
        if (key !== 'list') return typeof target[key as 'get'] === 'function' ? target[key as 'get'].bind(target) : target[key as 'get'];
        return async function* (prefix: string) {
          for await (const object of target.list(prefix)) {
            if (object.name === 'manifests/0000000002' && !missed) missed = true;
            else yield object;
          }
        };
      },
    });
    const reader = await openPool(hasty, access);
    expect(await reader.listManifests({ strict: true })).toHaveLength(3);
    expect(missed).toBe(true);
  });

  it('lists what is left when a manifest is lost, but proves nothing by it', async () => {
    const { pool, store, reopen } = await aPool(options);
    const first = await commitPoint(pool, day1);
    await commitPoint(pool, day2);
    await commitPoint(pool, day2);
    await store.remove('manifests/0000000002');
    const again = await reopen();
    expect((await again.listManifests()).map(({ seq }) => seq)).toEqual([1, 3]);
    expect((await restored(again, first)).equals(day1)).toBe(true);
    await expect(again.listManifests({ strict: true })).rejects.toMatchObject({ code: 'MABS-POOL-ROLL-GAP', kind: 'damaged' });
    await expect(again.purge([1])).rejects.toMatchObject({ code: 'MABS-POOL-ROLL-GAP' });
    await expect(again.sweep()).rejects.toMatchObject({ code: 'MABS-POOL-ROLL-GAP' });
    await expect(again.planSweep()).rejects.toMatchObject({ code: 'MABS-POOL-ROLL-GAP' });
  });

  it('goes on after a manifest was damaged, and blames no other', async () => {
    const { pool, store, reopen } = await aPool(options);
    const first = await commitPoint(pool, day1);
    await commitPoint(pool, day2);
    await replaceObject(store, 'manifests/0000000002', (bytes) => flipBit(bytes, 100));
    const again = await reopen();
    const third = await commitPoint(again, day1);
    expect((await again.listManifests()).map(({ seq }) => seq)).toEqual([1, 3]);
    for (const point of [first, third]) expect((await restored(again, point)).equals(day1)).toBe(true);
    const { damage } = await again.check({ depth: 'structure' });
    expect(damage.map(({ file }) => file)).toEqual(['manifests/0000000002']);
    await again.purge([2]);
    expect(await again.check({ depth: 'structure' })).toMatchObject({ status: 'ok', damage: [] });
    expect((await commitPoint(again, day2)).seq).toBe(4);
  });

  it('refuses manifests exchanged with one another', async () => {
    const { pool, store, reopen } = await aPool(options);
    await commitPoint(pool, day1);
    await commitPoint(pool, day2);
    const other = await store.get('manifests/0000000001');
    await replaceObject(store, 'manifests/0000000002', () => other);
    expect((await (await reopen()).listManifests()).map(({ seq }) => seq)).toEqual([1]);
    await expect((await reopen()).listManifests({ strict: true })).rejects.toMatchObject({ kind: 'damaged' });
  });

  it('can be written by one home only', async () => {
    const { pool, store, access } = await aPool(options);
    const point = await commitPoint(pool, day1);
    const writer = await pool.beginWrite();
    const disk = await storeDisk(writer, day2);
    const other = await importPool(store, { ...access, homeId: 'home-2', locks: createMemoryLocks() });
    expect(await other.listManifests()).toEqual([point]);
    await expect(writer.commitManifest(aManifest([disk]))).rejects.toMatchObject({ code: 'MABS-POOL-FENCED' });
    await writer[Symbol.asyncDispose]();
    await expect(pool.beginWrite()).rejects.toMatchObject({ code: 'MABS-POOL-FENCED' });
    await expect(pool.putRecord('hold', 'p', {})).rejects.toMatchObject({ code: 'MABS-POOL-FENCED' });
    expect((await restored(pool, point)).equals(day1)).toBe(true);
    expect((await commitPoint(other, day2)).seq).toBe(2);
  });

  it('gets its index back from the packs', async () => {
    const { pool, store, access } = await aPool(options);
    const point = await commitPoint(pool, day1);
    for (const name of await objectNames(store, 'index/')) await store.remove(name);
    const again = await importPool(store, access);
    expect((await restored(again, point)).equals(day1)).toBe(true);
    for (const name of await objectNames(store, 'index/')) await replaceObject(store, name, (bytes) => bytes.fill(0, 0, 4096 * 3));
    expect((await restored(await importPool(store, access), point)).equals(day1)).toBe(true);
  });

  it('stores nothing again that a run which died had sealed', async () => {
    const { pool, store, access, reopen } = await aPool(options);
    const dying = await pool.beginWrite();
    await storeDisk(dying, day1);
    for (const name of await objectNames(store, 'index/')) await store.remove(name);
    const next = await reopen({ locks: createMemoryLocks() });
    const writer = await next.beginWrite();
    const source = (await import('../builders/memory-disk.ts')).aMemoryDisk(day1);
    expect((await writer.writeDisk({ source, leftOut: [], sample: false, verifyNew: true })).bytesTransferred).toBe(0);
    await writer[Symbol.asyncDispose]();
    expect(access.homeId).toBe('home-1');
  });

  it('leaves two small markers when runs have ended, however many there were', async () => {
    const { pool, store } = await aPool(options);
    for (let run = 0; run < 5; run += 1) await commitPoint(pool, day1);
    expect(await objectNames(store, 'epochs/')).toEqual(['epochs/00000005', 'epochs/00000005-ended']);
  });

  it('merges index segments before they become many', async () => {
    const { pool, store, reopen } = await aPool(options);
    const contents = Array.from({ length: 20 }, (_, at) => someBytes(`run ${at}`, 2 * BLOCK));
    const points = [];
    for (const content of contents) points.push(await commitPoint(pool, content));
    expect((await objectNames(store, 'index/')).length).toBeLessThanOrEqual(8);
    const again = await reopen();
    for (const [at, point] of points.entries()) expect((await restored(again, point)).equals(contents[at]!)).toBe(true);
    expect((await again.usage()).blocks).toBe((await pool.usage()).blocks);
  });
});

describe('keys', () => {
  it('open the pool: a passphrase, another one, the recovery key', async () => {
    const { pool, reopen, recoveryKey, store } = await aPool({ encrypt: true, passphrase: 'first' });
    const point = await commitPoint(pool, day1);
    const { keyId } = await pool.addKey('second');
    expect(await pool.exportKey()).toBe(recoveryKey);
    for (const passphrase of ['first', 'second', recoveryKey!, recoveryKey!.toLowerCase().replaceAll('-', ' ')]) {
      expect(await (await reopen({ passphrase })).listManifests()).toEqual([point]);
    }
    expect(await pool.listKeys()).toHaveLength(2);
    await pool.removeKey(keyId);
    await expect(reopen({ passphrase: 'second' })).rejects.toMatchObject({ code: 'MABS-POOL-PASSPHRASE', kind: 'failed' });
    const [last] = await pool.listKeys();
    await expect(pool.removeKey(last!.keyId)).rejects.toMatchObject({ code: 'MABS-POOL-KEY-LAST' });
    await expect(pool.removeKey('0'.repeat(16))).rejects.toMatchObject({ code: 'MABS-POOL-KEY-UNKNOWN' });
    expect(await objectNames(store, 'keys/')).toHaveLength(1);
  });

  it('are asked for only where a pool is encrypted', async () => {
    const secret = await aPool({ encrypt: true, passphrase: async () => 'asked' });
    const { passphrase: _passphrase, ...withoutPassphrase } = secret.access;
    await expect(openPool(secret.store, withoutPassphrase)).rejects.toMatchObject({
      code: 'MABS-POOL-NEEDS-PASSPHRASE',
    });
    const plain = await aPool();
    await plain.reopen({ passphrase: () => Promise.reject(new Error('must not be asked')) });
    await expect(plain.pool.addKey('x')).rejects.toMatchObject({ code: 'MABS-POOL-NOT-ENCRYPTED' });
  });

  it('leave no readable name in the pool', async () => {
    const { pool, store } = await aPool({ encrypt: true, passphrase: 'first', keyDerivation: cheapDerivation });
    await commitPoint(pool, Buffer.alloc(3 * BLOCK, 'Secret-Guest-Content '));
    await pool.putRecord('group', 'group-1', { name: 'Secret-Group-Name' });
    for (const name of await objectNames(store)) {
      const bytes = Buffer.from(await store.get(name));
      for (const encoding of ['latin1', 'utf16le'] as const) expect(bytes.includes(Buffer.from('Secret', encoding))).toBe(false);
    }
  });
});

describe('making a pool', () => {
  it('refuses a store that holds one, or anything else', async () => {
    const { store } = await aPool();
    await expect(aPool({ store })).rejects.toMatchObject({ code: 'MABS-POOL-EXISTS' });
    const other = (await aPool()).store;
    await other.remove('mabs-pool');
    await other.put('holiday.jpg', new Uint8Array(3));
    await expect(aPool({ store: other })).rejects.toMatchObject({ code: 'MABS-POOL-NOT-EMPTY' });
    expect(await objectNames(other)).toContain('holiday.jpg');
  });

  it('clears what a creation that died has left', async () => {
    const { store } = await aPool({ encrypt: true, passphrase: 'x' });
    await store.remove('mabs-pool');
    const { pool } = await aPool({ store });
    await commitPoint(pool, day1);
  });

  it('refuses a block size that is not one', async () => {
    await expect(aPool({ blockSize: 100_000 })).rejects.toMatchObject({ code: 'MABS-POOL-BLOCK-SIZE', kind: 'usage' });
  });
});

describe('opening a pool', () => {
  it('says where there is none', async () => {
    const { store, reopen } = await aPool();
    await store.remove('mabs-pool');
    await expect(reopen()).rejects.toMatchObject({ code: 'MABS-POOL-NOT-FOUND' });
  });

  it('refuses one of a later format', async () => {
    const { store, reopen } = await aPool();
    const { encodeObject, ObjectKind } = await import('../../src/pool/object-envelope.ts');
    const header = Buffer.from(JSON.stringify({ format: 'mabs-pool', version: 2, anything: 'else' }));
    await replaceObject(store, 'mabs-pool', (bytes) =>
      encodeObject({ name: 'mabs-pool', kind: ObjectKind.header, poolId: bytes.slice(32, 48) }, undefined, new Uint8Array(32), header),
    );
    await expect(reopen()).rejects.toMatchObject({ code: 'MABS-POOL-NEWER', kind: 'newer' });
  });

  it('refuses a header in which any one bit is wrong', async () => {
    const { store } = await aPool();
    const whole = await store.get('mabs-pool');
    const { readPoolHeader } = await import('../../src/pool/pool-header.ts');
    for (let at = 0; at < whole.length; at += 1) {
      const copy = (await import('../../src/stores/memory/memory-store.ts')).openMemoryStore(`flip ${at}`);
      const flipped = Uint8Array.from(whole);
      flipped[at]! ^= 1 << (at % 8);
      await copy.put('mabs-pool', flipped);
      await expect(readPoolHeader(copy)).rejects.toMatchObject({ kind: 'damaged' });
    }
  });
});
