import type { Dirent } from 'node:fs';
import { mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Anchors } from '../../src/core/restore-files/target-folder.ts';
import type { FileSystem } from '../../src/filesystems/file-system.ts';
import { nameFromBytes, nameToBytes } from '../../src/lib/byte-names.ts';
import { originalName } from '../../src/lib/target-names.ts';
import { contentOf, hostileFileSystem } from './hostile-file-system.ts';
import { aRestoreWorld, restoreRun } from './restore-run.ts';
import { windowsKey, windowsNameFault } from './windows-names.ts';

export interface HostileRestore {
  /** Of files. */
  readonly names: readonly string[];
  /** Of folders with files in them that want out. */
  readonly folders: readonly string[];
  readonly rules: 'posix' | 'windows';
  readonly anchors: Anchors;
  readonly origin: FileSystem['names'];
}

/**
 * Restores hostile names into a folder of a world of its own, and looks through all of that. Answers what is wrong: something outside the
 * target, a file that is not there or has no way back to its name, a name that Windows does not take.
 */
export async function restoreHostileNames({ names, folders, rules, anchors, origin }: HostileRestore): Promise<string[]> {
  await using world = await aRestoreWorld();
  const outside = join(world.around, 'outside');
  await mkdir(outside);
  await writeFile(join(outside, 'precious'), 'untouched');
  const rows = await restoreRun(world.target, hostileFileSystem(outside, origin, names, folders), { names: rules, anchors });
  const wrong = rows.files.filter(({ status }) => status === 'failed').map(({ source, error }) => `${source}: ${error?.message}`);
  const found = await scan(world.around);

  const beside = found
    .filter(({ path }) => !path.startsWith('target/') && path !== 'target')
    .map(({ path, text }) => `${path} ${text ?? ''}`);
  if (beside.sort().join('|') !== 'outside |outside/precious untouched') wrong.push(`outside the target: ${beside.join(', ')}`);
  const top = (await readdir(world.target)).sort();
  if (top.join('|') !== 'all|mabs-extras-11112222.jsonl') wrong.push(`in the target: ${top.join(', ')}`);

  const { originalOf, unequal } = await originalsOf(world.target);
  const back = new Map<string, string | undefined>();
  for (const { path, text } of found.filter(({ type, path }) => type === 'file' && path.startsWith('target/all/f'))) {
    const own = path.startsWith('target/all/files/') ? path : path.split('/').slice(0, 4).join('/');
    if (text !== undefined && text !== 'x') back.set(text, originalOf(own));
  }
  const expected = { files: names, folders };
  for (const place of ['files', 'folders'] as const) {
    for (const [index, name] of expected[place].entries()) {
      const told = back.get(contentOf(place, index));
      if (told !== name) wrong.push(`${place} ${JSON.stringify(name)} came back as ${JSON.stringify(told)}`);
    }
  }
  wrong.push(...unequal);
  // Links of the same kind of system lead where they led; nothing went through them.
  if (origin === 'bytes' && (await readlink(join(world.target, 'all', 'links', 'link2'))) !== outside) wrong.push('a link leads elsewhere');
  return rules === 'windows' ? [...wrong, ...windowsFaults(found.filter(({ path }) => path.startsWith('target/')))] : wrong;
}

interface Found {
  /** From the folder that was looked through, with `/`; bytes that are no UTF-8 as `lib/byte-names.ts` writes them. */
  readonly path: string;
  readonly name: string;
  readonly type: 'file' | 'dir' | 'link' | 'other';
  readonly text?: string;
}

function windowsFaults(made: readonly Found[]): string[] {
  const faults = made.flatMap(({ name }) => {
    const fault = windowsNameFault(name);
    return fault === undefined ? [] : [`${JSON.stringify(name)}: ${fault}`];
  });
  const keys = new Set(made.map(({ path }) => windowsKey(path)));
  return keys.size === made.length ? faults : [...faults, `${made.length - keys.size} names are one to Windows`];
}

/** What each entry was called: by its name alone, or where that was cut, by the file of extras. Whatever was mapped is listed, and both say the same. */
async function originalsOf(target: string): Promise<{ originalOf: (path: string) => string | undefined; unequal: string[] }> {
  const lines = (await readFile(join(target, 'mabs-extras-11112222.jsonl'), 'utf8')).trimEnd().split('\n');
  const kept = new Map(
    lines
      .map((line) => JSON.parse(line) as { path?: string; names?: string[] })
      .map(({ path, names }) => [`target/${path}`, names?.at(-1)]),
  );
  const unequal: string[] = [];
  const originalOf = (path: string) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const told = originalName(name);
    if (told !== undefined && told !== name && kept.get(path) !== told) unequal.push(`${JSON.stringify(path)} is not listed as it was`);
    return told ?? kept.get(path);
  };
  return { originalOf, unequal };
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
