import * as files from 'node:fs/promises';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

const refused = (code: string) => async () => {
  throw Object.assign(new Error(code), { code, errno: -1 });
};
const unlink = jest.fn<(path: string) => Promise<void>>();
const link = jest.fn<(from: string, to: string) => Promise<void>>();
jest.unstable_mockModule('node:fs/promises', () => ({ ...files, unlink, link }));
const { makeFolderDurably, renameExclusively } = await import('../../src/lib/durable-files.ts');

let folder: string;
const path = (name: string) => join(folder, name);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mabs-durable-'));
  unlink.mockImplementation(files.unlink as (path: string) => Promise<void>);
  link.mockImplementation(files.link as (from: string, to: string) => Promise<void>);
  await writeFile(path('new'), 'new');
});
afterEach(() => rm(folder, { recursive: true }));

describe('a file that gets its final name', () => {
  it.each([
    ['with hard links', undefined],
    ['without hard links', 'ENOTSUP'],
  ])('has no other afterwards, and replaces nothing, %s', async (_, code) => {
    if (code) link.mockImplementation(refused(code));
    await renameExclusively(path('new'), path('final'));
    expect(await readdir(folder)).toEqual(['final']);
    await writeFile(path('next'), 'next');
    await expect(renameExclusively(path('next'), path('final'))).rejects.toMatchObject({ code: 'EEXIST' });
    expect(await readFile(path('final'), 'utf8')).toBe('new');
  });

  it('has it also when another program keeps the former one open', async () => {
    unlink.mockImplementation(refused('EPERM'));
    await renameExclusively(path('new'), path('final'));
    expect(await readFile(path('final'), 'utf8')).toBe('new');
  });
});

it('a folder is made with all that lead to it', async () => {
  await makeFolderDurably(path('a/b/c'));
  await makeFolderDurably(path('a/b/c'));
  expect(await readdir(path('a/b'))).toEqual(['c']);
});
