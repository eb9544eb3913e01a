import { type FileNode, type FileSystem, FileTypeError } from '../../filesystems/file-system.ts';
import { nameToBytes } from '../../lib/byte-names.ts';
import { MabsError } from '../../lib/errors.ts';
import { nearNames } from '../../model/near-names.ts';
import { pathOf } from './volume-path.ts';

/** A file, directory or link that a path names. */
export interface FoundFile {
  /** From the root of its volume down; empty for the root itself. */
  readonly names: readonly string[];
  readonly node: FileNode;
  /** The directory that it was found in; absent for the root. */
  readonly parent?: FileNode;
}

export class FileUnknownError extends MabsError {
  readonly code = 'MABS-FILE-UNKNOWN';
  readonly hint: string;
  /** `volume`: its address. `near`: names that may have been meant, beside the one that is missing. */
  constructor(volume: string, path: string, near: readonly string[]) {
    super(`there is no ${path} on ${volume}`);
    const backslash = path.includes('\\') ? ' Names are separated by /.' : '';
    this.hint =
      near.length > 0 ? `Did you mean ${near.join(' or ')}?${backslash}` : `See what is there with a listing of the folder.${backslash}`;
  }
}

export interface FindOptions {
  /** Answers names as they are stored, also where case counts for nothing and other letters were typed. Reads the folders' names for it. */
  readonly asStored?: boolean;
}

/** Names looked through for what may have been meant. */
const NAMES_LOOKED_AT = 10_000;

/**
 * What `names` lead to, from the root of a volume down: each name exactly as it is, else as the file system itself would take it. Links
 * on the way are not followed (MABS-FILE-TYPE says where they lead). MABS-FILE-UNKNOWN with near names.
 */
export async function findFile(
  system: FileSystem,
  names: readonly string[],
  volume: string,
  { asStored = false }: FindOptions = {},
): Promise<FoundFile> {
  let node = await system.root();
  let parent: FileNode | undefined;
  const way: string[] = [];
  for (let at = 0; at < names.length; ) {
    if (node.type !== 'dir') throw notADirectory(node, pathOf(way), volume);
    const step = await findStep(system, node, names.slice(at));
    if (!step) throw await unknown(system, node, { names, at, volume });
    way.push(asStored && system.names === 'utf16' ? await storedName(system, node, step.name) : step.name);
    parent = node;
    node = step.node;
    at += step.count;
  }
  return { names: way, node, ...(parent && { parent }) };
}

/** The first of `names` in a directory; where there is none, the first few joined: a hostile name may hold `/`. */
async function findStep(system: FileSystem, directory: FileNode, names: readonly string[]) {
  for (let count = 1; count <= Math.min(names.length, 8); count++) {
    const name = names.slice(0, count).join('/');
    const found = await findName(system, directory, name);
    if (found) return { ...found, count };
  }
  return undefined;
}

async function findName(system: FileSystem, directory: FileNode, name: string) {
  // A reader may answer these with the directory itself or its parent; as names they are data.
  if (name === '.' || name === '..') return findListed(system, directory, (listed) => listed === name);
  const node = await system.find(directory, name);
  if (node) return { name, node };
  // A name as a terminal was shown it.
  const meant = unescaped(name);
  const shown = meant === name ? undefined : await system.find(directory, meant);
  if (shown) return { name: meant, node: shown };
  // What a shell cannot pass (bytes that are no UTF-8, halves of surrogate pairs) arrives as U+FFFD.
  return name.includes('\ufffd') ? findListed(system, directory, (listed) => asPassed(system, listed) === name) : undefined;
}

/** The name in a directory that stands for a typed one. */
async function storedName(system: FileSystem, directory: FileNode, typed: string): Promise<string> {
  const folded = typed.toUpperCase();
  let alike: string | undefined;
  for await (const { name } of system.list(directory)) {
    if (name === typed) return typed;
    if (name.toUpperCase() === folded) alike ??= name;
  }
  return alike ?? typed;
}

/** The one entry of a directory whose name fits; none where several do. */
async function findListed(system: FileSystem, directory: FileNode, fits: (name: string) => boolean) {
  let found: { readonly name: string; readonly node: FileNode } | undefined;
  for await (const entry of system.list(directory)) {
    if (!fits(entry.name)) continue;
    if (found) return undefined;
    found = { name: entry.name, node: await entry.node() };
  }
  return found;
}

const SHORT: Readonly<Record<string, string>> = { e: '\u001b', n: '\n', r: '\r', t: '\t' };

/** Turns back what stands for characters that no terminal is given: `\e`, `\n`, `\u{202e}`. */
function unescaped(name: string): string {
  return name.replace(/\\(?:u\{([0-9a-f]{1,6})\}|([enrt]))/g, (written, code: string | undefined, short: string | undefined) => {
    if (short !== undefined) return SHORT[short]!;
    const number = Number.parseInt(code!, 16);
    return number <= 0x10ffff ? String.fromCodePoint(number) : written;
  });
}

function asPassed(system: FileSystem, name: string): string {
  return system.names === 'bytes' ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(nameToBytes(name)) : name.toWellFormed();
}

function notADirectory(node: FileNode, path: string, volume: string): FileTypeError {
  if (node.type === 'link') return linkError(node, path, volume);
  return new FileTypeError(`${path} on ${volume} is a file, not a folder`, 'Nothing lies below a file; a stream is named as FILE:STREAM.');
}

/** What is said of a link where what it leads to would be needed. */
export function linkError(node: FileNode, path: string, volume: string): FileTypeError {
  const where = node.target === undefined ? '' : ` to ${node.target}`;
  return new FileTypeError(
    `${path} on ${volume} is a link${where}, and links are not followed`,
    'Name the path that it leads to, within its volume.',
  );
}

async function unknown(
  system: FileSystem,
  directory: FileNode,
  { names, at, volume }: { readonly names: readonly string[]; readonly at: number; readonly volume: string },
): Promise<FileUnknownError> {
  const listed: string[] = [];
  try {
    for await (const { name } of system.list(directory)) if (listed.push(name) >= NAMES_LOOKED_AT) break;
  } catch (error) {
    if (!(error instanceof MabsError)) throw error;
  }
  const above = names.slice(0, at);
  const near = nearNames(names[at]!, listed).map((name) => pathOf([...above, name]));
  return new FileUnknownError(volume, pathOf(names), near);
}
