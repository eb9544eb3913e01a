import { createHash } from 'node:crypto';
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { nameFromBytes } from '../../src/lib/byte-names.ts';

/** A file as an independent reader shows it. */
export interface TrueFile {
  readonly type: 'file' | 'dir' | 'link' | 'other';
  readonly size: number;
  readonly modified: bigint;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly target?: string;
  readonly sha256?: string;
}

const buffer = Buffer.alloc(4 * 1024 * 1024);

/** Everything below a folder, by its path from there, as the system that mounted it tells. `lost+found` is left out. */
export function trueFiles(folder: string): Map<string, TrueFile> {
  const found = new Map<string, TrueFile>();
  const todo: { path: Buffer; name: string }[] = [{ path: Buffer.from(folder), name: '' }];
  for (let next = todo.pop(); next; next = todo.pop()) {
    for (const entry of readdirSync(next.path, { encoding: 'buffer' })) {
      const path = Buffer.concat([next.path, Buffer.from('/'), entry]);
      const name = `${next.name}/${nameFromBytes(entry)}`;
      if (name === '/lost+found') continue;
      const file = trueFile(path);
      found.set(name, file);
      if (file.type === 'dir') todo.push({ path, name });
    }
  }
  return found;
}

function trueFile(path: Buffer): TrueFile {
  const status = lstatSync(path, { bigint: true });
  const type = status.isDirectory() ? 'dir' : status.isSymbolicLink() ? 'link' : status.isFile() ? 'file' : 'other';
  return {
    type,
    size: Number(status.size),
    modified: status.mtimeNs,
    mode: Number(status.mode) & 0o7777,
    uid: Number(status.uid),
    gid: Number(status.gid),
    links: Number(status.nlink),
    ...(type === 'link' && { target: nameFromBytes(readlinkSync(path, { encoding: 'buffer' })) }),
    ...(type === 'file' && { sha256: digestOf(path) }),
  };
}

/** SHA-256 of a file, in hex. */
export function digestOf(path: Buffer | string): string {
  const digest = createHash('sha256');
  const file = openSync(path, 'r');
  for (let length = readSync(file, buffer); length > 0; length = readSync(file, buffer)) digest.update(buffer.subarray(0, length));
  closeSync(file);
  return digest.digest('hex');
}
