import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { aRestoreWorld, type RestoreRunOptions, type RestoreWorld, restoreRun } from '../../builders/restore-run.ts';
import { type TreeEntry, treeFileSystem } from '../../builders/tree-file-system.ts';

let world: RestoreWorld;
beforeEach(async () => {
  world = await aRestoreWorld();
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

const restore = (children: readonly TreeEntry[], options: RestoreRunOptions = {}) =>
  restoreRun(world.target, treeFileSystem(children), options);
const inTarget = (...names: string[]) => join(world.target, 'all', ...names);
const text = (...names: string[]) => readFile(inTarget(...names), 'utf8');

describe('a recovered tree', () => {
  it('holds the files and folders of the source, and nothing else', async () => {
    const rows = await restore([
      { name: 'a.txt', content: 'one' },
      {
        name: 'd',
        children: [
          { name: 'b', content: 'two' },
          { name: 'e', children: [] },
        ],
      },
    ]);
    expect((await readdir(world.target, { recursive: true })).sort()).toEqual(['all', 'all/a.txt', 'all/d', 'all/d/b', 'all/d/e']);
    expect([await text('a.txt'), await text('d', 'b')]).toEqual(['one', 'two']);
    expect(rows.counts).toMatchObject({ files: 2, folders: 3, failed: 0, bytesWritten: 6 });
  });
});
