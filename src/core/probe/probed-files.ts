import type { FileNode, FileSystem } from '../../filesystems/file-system.ts';

/** Links that are followed on the way to one file, as Linux does. */
const MOST_LINKS = 40;
/** Names of a directory that are looked at. */
const MOST_NAMES = 10_000;
const HEAD_BYTES = 64 * 1024;

/**
 * The file at a path, `undefined` where there is none. Symbolic links are followed within the volume, as if it were all there is: one
 * that leads out of it, or in circles, leads nowhere. Links of Windows, which name drives, are not followed.
 */
export async function fileAt(system: FileSystem, path: string): Promise<FileNode | undefined> {
  const root = await system.root();
  const trail: FileNode[] = [root];
  const names = namesOf(path);
  let links = 0;
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    if (name === '..') {
      if (trail.length > 1) trail.pop();
      continue;
    }
    const directory = trail.at(-1)!;
    const found = directory.type === 'dir' ? await system.find(directory, name) : undefined;
    if (!found) return undefined;
    if (found.type !== 'link' || system.names === 'utf16') {
      trail.push(found);
      continue;
    }
    links += 1;
    if (links > MOST_LINKS || found.target === undefined) return undefined;
    if (found.target.startsWith('/')) trail.length = 1;
    names.unshift(...namesOf(found.target));
    if (names.length > 4096) return undefined;
  }
  return trail.at(-1);
}

const namesOf = (path: string) => path.split('/').filter((name) => name !== '' && name !== '.');

/** The first of these paths that is a file. */
export async function firstFile(
  system: FileSystem,
  paths: readonly string[],
): Promise<{ readonly path: string; readonly node: FileNode } | undefined> {
  for (const path of paths) {
    const node = await fileAt(system, path);
    if (node?.type === 'file') return { path, node };
  }
  return undefined;
}

/** The files in a directory whose name matches; links count where they lead to a file. None where there is no such directory. */
export async function filesMatching(
  system: FileSystem,
  folder: string,
  pattern: RegExp,
): Promise<{ readonly path: string; readonly node: FileNode }[]> {
  const directory = await fileAt(system, folder);
  if (directory?.type !== 'dir') return [];
  const found: { path: string; node: FileNode }[] = [];
  let seen = 0;
  for await (const { name } of system.list(directory)) {
    seen += 1;
    if (seen > MOST_NAMES) break;
    if (!pattern.test(name)) continue;
    const path = `${folder === '/' ? '' : folder}/${name}`;
    const node = await fileAt(system, path);
    if (node?.type === 'file') found.push({ path, node });
  }
  return found;
}

/** Why a file is not what it should be, in words; `undefined` when its beginning and its end can be read and are more than zeros. Rejects on damage. */
export async function faultOf(system: FileSystem, file: FileNode, signature?: string): Promise<string | undefined> {
  const head = await headOf(system, file);
  if (head.length === 0) return 'is empty';
  if (file.size > head.length) await (await system.open(file)).read(file.size - 1, new Uint8Array(1));
  if (head.every((byte) => byte === 0)) return 'holds zeros';
  if (signature !== undefined && Buffer.from(head.subarray(0, signature.length)).toString('latin1') !== signature) {
    return `does not begin with ${signature}`;
  }
  return undefined;
}

/** The first 64 KiB of a file, or all of a smaller one. */
export async function headOf(system: FileSystem, file: FileNode): Promise<Uint8Array> {
  const content = await system.open(file);
  const head = new Uint8Array(Math.min(HEAD_BYTES, content.sizeBytes));
  await content.read(0, head);
  return head;
}
