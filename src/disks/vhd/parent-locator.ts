import { basename, posix, resolve, win32 } from 'node:path';
import { locatorPaths, parentPaths } from '../parent-paths.ts';
import type { LocatorEntry } from './vhd-header.ts';
import type { VhdImage } from './vhd-image.ts';

const MAX_PATH_BYTES = 65_536;

/**
 * Where the parent of an image may lie, the likeliest first: relative and absolute paths of its locators, in UTF-16 (W2ru, W2ku) or,
 * in old images, in one byte a character (Wi2r, Wi2k), a Mac's URL (MacX), then the name in the header, which may be a path.
 */
export async function parentCandidates(child: VhdImage, platform: NodeJS.Platform): Promise<string[]> {
  const header = child.sparse?.header;
  if (!header) return [];
  const texts = new Map<string, string>();
  for (const entry of header.locators) {
    const text = await locatorText(child, entry);
    if (text && !texts.has(entry.code)) texts.set(entry.code, text);
  }
  const name = header.parentName;
  const isPath = win32.isAbsolute(name) || posix.isAbsolute(name);
  const relativePath = texts.get('W2ru') ?? texts.get('Wi2r') ?? (isPath || name === '' ? undefined : name);
  const absolutePath = texts.get('W2ku') ?? texts.get('Wi2k') ?? texts.get('MacX') ?? (isPath ? name : undefined);
  const paths = { ...(relativePath !== undefined && { relativePath }), ...(absolutePath !== undefined && { absolutePath }) };
  const beside = name === '' ? [] : parentPaths(resolve(child.path), { relativePath: win32.basename(name) }, platform);
  return [...new Set([...parentPaths(resolve(child.path), paths, platform), ...beside])];
}

async function locatorText({ file }: VhdImage, { code, length, position }: LocatorEntry): Promise<string | undefined> {
  if (length === 0 || length > MAX_PATH_BYTES || length > file.sizeBytes - position) return undefined;
  const bytes = Buffer.alloc(length);
  await file.read(position, bytes);
  if (code === 'MacX') return filePath(bytes.toString('utf8').split('\0', 1)[0]!);
  return bytes.toString(code === 'W2ru' || code === 'W2ku' ? 'utf16le' : 'latin1').split('\0', 1)[0];
}

/** The path of a `file:` URL on this machine. */
function filePath(url: string): string | undefined {
  try {
    const { protocol, hostname, pathname } = new URL(url);
    return protocol === 'file:' && (hostname === '' || hostname === 'localhost') ? decodeURIComponent(pathname) : undefined;
  } catch {
    return undefined;
  }
}

/** The texts that a new child keeps: where its parent lies, relative and absolute. */
export function newLocators(childPath: string, parentPath: string): { readonly name: string; readonly texts: readonly LocatorText[] } {
  const { relativePath, absolutePath } = locatorPaths(resolve(childPath), resolve(parentPath), process.platform);
  const texts = [
    { code: 'W2ru', text: relativePath },
    { code: 'W2ku', text: absolutePath },
  ].flatMap(({ code, text }) => (text === undefined ? [] : [{ code, bytes: Buffer.from(text, 'utf16le') }]));
  return { name: basename(parentPath), texts };
}

export interface LocatorText {
  readonly code: string;
  readonly bytes: Uint8Array;
}
