import type { ListedFile } from '../core/inside/list-files.ts';
import { formatSize } from '../lib/sizes.ts';
import type { Style } from './app.ts';

/** A file of a listing on one line: what it is, its size, when it was modified (UTC), its path, where it leads, what is wrong with it. */
export function fileLine(file: ListedFile, style: Style): string {
  const { path, type, size, modified, target, error, unreadable } = file;
  const time = modified === null ? '' : modified.slice(0, 19).replace('T', ' ');
  const room = type === 'dir' && file.fileSystem === undefined ? '' : formatSize(size);
  const name = type === 'dir' ? style.bold(path) : path;
  const leads = target === undefined ? '' : ` -> ${target}`;
  const what = file.fileSystem ? `  ${file.fileSystem}${file.label === undefined ? '' : ` "${file.label}"`}` : '';
  const wrong = error ? `  ${style.bad(`damaged: ${error.message}`)}` : '';
  const closed = unreadable === undefined ? '' : `  ${style.warn(unreadable)}`;
  return `${kindOf(file)}  ${room.padStart(9)}  ${time.padEnd(19)}  ${name}${leads}${what}${closed}${wrong}`;
}

const LETTERS: Readonly<Record<ListedFile['type'], string>> = { file: '-', dir: 'd', link: 'l', other: '?' };

/** `drwxr-xr-x` where the system has modes, else the letters of its attributes. */
function kindOf({ type, mode, attributes = [] }: ListedFile): string {
  const letter = LETTERS[type];
  if (mode === undefined)
    return (letter + attributes.map((name) => (name === 'compressed' ? 'c' : name[0])).join('')).padEnd(10).slice(0, 10);
  const bits = Array.from('rwxrwxrwx', (right, at) => (mode & (0o400 >> at) ? right : '-'));
  if (mode & 0o4000) bits[2] = bits[2] === 'x' ? 's' : 'S';
  if (mode & 0o2000) bits[5] = bits[5] === 'x' ? 's' : 'S';
  if (mode & 0o1000) bits[8] = bits[8] === 'x' ? 't' : 'T';
  return letter + bits.join('');
}
