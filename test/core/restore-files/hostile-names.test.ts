import type { Dirent } from 'node:fs';
import { mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { nameFromBytes, nameToBytes } from '../../../src/lib/byte-names.ts';
import { originalName } from '../../../src/lib/target-names.ts';
import { contentOf, hostileFileSystem } from '../../builders/hostile-file-system.ts';
import { HOSTILE_CLASSES, hostileNames } from '../../builders/hostile-names.ts';
import { aRestoreWorld, type RestoreWorld, restoreRun } from '../../builders/restore-run.ts';
import { windowsKey, windowsNameFault } from '../../builders/windows-names.ts';

interface Found {
  /** From the folder that was looked through, with `/`; bytes that are no UTF-8 as `lib/byte-names.ts` writes them. */
  readonly path: string;
  readonly name: string;
  readonly type: 'file' | 'dir' | 'link' | 'other';
  readonly text?: string;
}

let world: RestoreWorld;
beforeEach(async () => {
  world = await aRestoreWorld();
  await mkdir(join(world.around, 'outside'));
  await writeFile(join(world.around, 'outside', 'precious'), 'untouched');
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

const outside = () => join(world.around, 'outside');

it('there are two hundred classes of hostile names, and two thousand names', () => {
  expect(HOSTILE_CLASSES.length).toBeGreaterThanOrEqual(200);
  expect(hostileNames().length).toBeGreaterThanOrEqual(2000);
});

describe.each([
  { what: 'two thousand hostile names', names: hostileNames(), rules: 'posix', anchors: 'descriptors', origin: 'bytes' },
  { what: 'two thousand hostile names', names: hostileNames(), rules: 'windows', anchors: 'descriptors', origin: 'utf16' },
  { what: 'each class of hostile names', names: HOSTILE_CLASSES, rules: 'posix', anchors: 'paths', origin: 'utf16' },
  { what: 'each class of hostile names', names: HOSTILE_CLASSES, rules: 'windows', anchors: 'paths', origin: 'bytes' },
] as const)('$what under $rules rules, held by $anchors, from $origin', ({ names, rules, anchors, origin }) => {
  it('are all recovered, none outside the target, each with a way back to its own', async () => {
    const rows = await restoreRun(world.target, hostileFileSystem(outside(), origin, names), { names: rules, anchors });
    expect(rows.files.filter(({ status }) => status === 'failed')).toEqual([]);
    const found = await scan(world.around);

    // Nothing outside: what lies around the target is what was there before.
    const beside = found.filter(({ path }) => !path.startsWith('target/') && path !== 'target');
    expect(beside.map(({ path, text }) => [path, text]).sort()).toEqual([
      ['outside', undefined],
      ['outside/precious', 'untouched'],
    ]);
    expect((await readdir(world.target)).sort()).toEqual(['all', 'mabs-extras-11112222.jsonl']);

    // Every file is there, under a name that tells its own.
    const originals = await originalsOf(world.target);
    const back = new Map(files(found, 'target/all/files/').map(({ path, text }) => [text, originals(path)]));
    expect(names.map((_, index) => back.get(contentOf('files', index)))).toEqual(names);
    const folders = new Map(
      files(found, 'target/all/folders/')
        .filter(({ text }) => text?.startsWith('folders '))
        .map(({ path, text }) => [text, originals(path.split('/').slice(0, 4).join('/'))]),
    );
    expect(HOSTILE_CLASSES.map((_, index) => folders.get(contentOf('folders', index)))).toEqual(HOSTILE_CLASSES);

    // Links of the same kind of system lead where they led; nothing went through them.
    if (origin === 'bytes') expect(await readlink(join(world.target, 'all', 'links', 'link2'))).toBe(outside());

    if (rules === 'windows') {
      const made = found.filter(({ path }) => path.startsWith('target/'));
      expect(made.map(({ name }) => ({ name, fault: windowsNameFault(name) })).filter(({ fault }) => fault !== undefined)).toEqual([]);
      const keys = made.map(({ path }) => windowsKey(path));
      expect(new Set(keys).size).toBe(keys.length);
    }
  });
});

function files(found: readonly Found[], prefix: string): Found[] {
  return found.filter(({ path, type }) => type === 'file' && path.startsWith(prefix));
}

/** What each entry was called: by its name alone, or where that was cut, by the file of extras. */
async function originalsOf(target: string): Promise<(path: string) => string | undefined> {
  const lines = (await readFile(join(target, 'mabs-extras-11112222.jsonl'), 'utf8')).trimEnd().split('\n');
  const kept = new Map(
    lines
      .map((line) => JSON.parse(line) as { path?: string; names?: string[] })
      .map(({ path, names }) => [`target/${path}`, names?.at(-1)]),
  );
  return (path) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const told = originalName(name);
    // Whatever was mapped is listed, and both say the same.
    if (told !== undefined && told !== name) expect(kept.get(path)).toBe(told);
    return told ?? kept.get(path);
  };
}

async function scan(folder: string): Promise<Found[]> {
  const found: Found[] = [];
  const todo = [{ bytes: Buffer.from(folder), path: '' }];
  for (let next = todo.pop(); next; next = todo.pop()) {
    for (const entry of (await readdir(next.bytes, { withFileTypes: true, encoding: 'buffer' })) as unknown as Dirent<Buffer>[]) {
      const name = nameFromBytes(entry.name);
      const path = next.path === '' ? name : `${next.path}/${name}`;
      const bytes = Buffer.concat([next.bytes, Buffer.from('/'), nameToBytes(name)]);
      const type = entry.isFile() ? 'file' : entry.isDirectory() ? 'dir' : entry.isSymbolicLink() ? 'link' : 'other';
      found.push({ path, name, type, ...(type === 'file' && { text: await readFile(bytes, 'utf8') }) });
      if (type === 'dir') todo.push({ bytes, path });
    }
  }
  return found;
}
