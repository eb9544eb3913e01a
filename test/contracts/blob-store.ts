import { expect, it } from '@jest/globals';
import type { BlobStore } from '../../src/stores/blob-store.ts';

/** The law of `BlobStore`, tried on a fresh store for each sentence. */
export function keepsTheBlobStoreContract(open: () => Promise<BlobStore>): void {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const names = async (store: BlobStore, prefix = '') => (await Array.fromAsync(store.list(prefix))).map(({ name }) => name).sort();

  it('gives back what was put', async () => {
    const store = await open();
    await store.put('a/b', bytes('hello'));
    expect(Buffer.from(await store.get('a/b')).toString()).toBe('hello');
  });

  it('gathers what was appended, whatever becomes of the bytes afterwards', async () => {
    const store = await open();
    const writer = await store.create('packs/x');
    const piece = bytes('one');
    await writer.append(piece);
    piece.fill(0);
    await writer.append(bytes('two'));
    expect(writer.sizeBytes).toBe(6);
    await writer.seal();
    expect(Buffer.from(await store.get('packs/x')).toString()).toBe('onetwo');
  });

  it('shows nothing of an object before it is sealed', async () => {
    const store = await open();
    const writer = await store.create('a/b');
    await writer.append(bytes('x'));
    expect(await names(store)).toEqual([]);
    await expect(store.get('a/b')).rejects.toMatchObject({ code: 'MABS-BLOB-MISSING' });
    await writer.abort();
    await writer.abort();
    expect(await names(store)).toEqual([]);
  });

  it('never replaces an object', async () => {
    const store = await open();
    await store.put('a', bytes('first'));
    await expect(store.put('a', bytes('second'))).rejects.toMatchObject({ code: 'MABS-BLOB-EXISTS' });
    expect(Buffer.from(await store.get('a')).toString()).toBe('first');
    expect(await store.removeTemporary('', () => false)).toBe(0);
  });

  it('lists what lies under a prefix, with its size', async () => {
    const store = await open();
    for (const name of ['a/1', 'a/b/2', 'c']) await store.put(name, bytes(name));
    expect(await names(store)).toEqual(['a/1', 'a/b/2', 'c']);
    expect(await names(store, 'a/')).toEqual(['a/1', 'a/b/2']);
    expect(await names(store, 'nothing/')).toEqual([]);
    expect(await Array.fromAsync(store.list('a/b/'))).toEqual([{ name: 'a/b/2', sizeBytes: 5 }]);
  });

  it('reads ranges wholly or not at all', async () => {
    const store = await open();
    await store.put('a', bytes('0123456789'));
    await using reader = await store.open('a');
    expect(reader.sizeBytes).toBe(10);
    const into = new Uint8Array(4);
    await reader.read(3, into);
    expect(Buffer.from(into).toString()).toBe('3456');
    await expect(reader.read(7, into)).rejects.toMatchObject({ code: 'MABS-BLOB-SIZE' });
    await expect(reader.read(-1, into)).rejects.toMatchObject({ code: 'MABS-BLOB-SIZE' });
  });

  it('refuses to load more than the limit', async () => {
    const store = await open();
    await store.put('a', bytes('0123456789'));
    await expect(store.get('a', 9)).rejects.toMatchObject({ code: 'MABS-BLOB-SIZE' });
  });

  it('removes an object, and does not mind when there is none', async () => {
    const store = await open();
    await store.put('a/b', bytes('x'));
    await store.remove('a/b');
    await store.remove('a/b');
    expect(await names(store)).toEqual([]);
  });

  it('removes what unfinished writers left, except what is to be kept', async () => {
    const store = await open();
    const dead = await store.create('packs/01/dead');
    await dead.append(bytes('x'));
    const living = await store.create('packs/02/living');
    expect(await store.removeTemporary('packs/', (name) => name === 'packs/02/living')).toBe(1);
    await living.append(bytes('y'));
    await living.seal();
    expect(await names(store)).toEqual(['packs/02/living']);
    await dead.abort();
  });

  it.each(['', '/a', 'a/', '../a', 'a/../b', 'a b', 'a.tmp', 'é', 'a'.repeat(201), 'a/.b', 'a.'])('refuses the name %j', async (name) => {
    await expect((await open()).put(name, bytes('x'))).rejects.toThrow('not a name');
  });

  it('knows how much room there is', async () => {
    const { capacityBytes, freeBytes } = await (await open()).space();
    expect(capacityBytes).toBeGreaterThan(0);
    expect(freeBytes).toBeLessThanOrEqual(capacityBytes);
  });
}
