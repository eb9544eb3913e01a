import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { makeFolders } from '../../src/lib/make-folders.ts';

let folder: string;
const path = (name: string) => join(folder, name);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mabs-folders-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('a folder is made with those that lead to it, and those that were missing are told', async () => {
  expect(await makeFolders(path('a/b/c'), 0o700)).toEqual([path('a'), path('a/b'), path('a/b/c')]);
  expect(await makeFolders(path('a/b/d'))).toEqual([path('a/b/d')]);
  expect(await makeFolders(path('a/b/d'))).toEqual([]);
  expect((await readdir(path('a/b'))).sort()).toEqual(['c', 'd']);
  if (process.platform !== 'win32') expect((await stat(path('a'))).mode & 0o777).toBe(0o700);
});

it('two that make the same folders at once both get them', async () => {
  await Promise.all(Array.from({ length: 8 }, () => makeFolders(path('same/way/down'))));
  expect(await readdir(path('same/way'))).toEqual(['down']);
});

it('a link to a folder counts as one; anything else that is there does not', async () => {
  await mkdir(path('real'));
  await symlink(path('real'), path('link'), 'dir');
  expect(await makeFolders(path('link/x'))).toEqual([path('link/x')]);
  await writeFile(path('file'), '');
  await expect(makeFolders(path('file'))).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(makeFolders(path('file/x'))).rejects.toMatchObject({ code: 'EEXIST' });
  await symlink(path('nowhere'), path('dangling'), 'dir');
  await expect(makeFolders(path('dangling'))).rejects.toMatchObject({ code: 'EEXIST' });
  expect((await readdir(folder)).sort()).toEqual(['dangling', 'file', 'link', 'real']);
});

// Node.js' own `recursive` tries for ever there.
(existsSync('/proc/self') ? it : it.skip)('where no folder can be made it ends with an error', async () => {
  await expect(makeFolders('/proc/x/y')).rejects.toMatchObject({ code: 'ENOENT' });
});
