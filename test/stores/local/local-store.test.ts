import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { openLocalStore } from '../../../src/stores/local/local-store.ts';
import { keepsTheBlobStoreContract } from '../../contracts/blob-store.ts';

const folders: string[] = [];
async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mabs-store-'));
  folders.push(folder);
  return folder;
}
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

describe('a store in a folder', () => {
  keepsTheBlobStoreContract(async () => openLocalStore(await aFolder()));

  it('keeps objects as files of the same name, with no other beside them', async () => {
    const folder = await aFolder();
    await openLocalStore(folder).put('a/b', new Uint8Array(3));
    expect(await readdir(folder, { recursive: true })).toEqual(['a', join('a', 'b')]);
  });

  it('does not begin a pool anew where its volume is not connected', async () => {
    const store = openLocalStore(join(await aFolder(), 'gone'));
    await expect(store.put('a/b', new Uint8Array(3))).rejects.toMatchObject({ code: 'MABS-STORE-IO' });
    await expect(Array.fromAsync(store.list(''))).rejects.toMatchObject({ code: 'MABS-STORE-IO' });
  });
});
