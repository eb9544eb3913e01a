import { posix, win32 } from 'node:path';

/** What an image says of where its parent lies, in the terms of the machine that wrote it. Untrusted. */
export interface NamedPaths {
  readonly relativePath?: string;
  readonly volumePath?: string;
  readonly absolutePath?: string;
}

/**
 * Where the parent of an image may lie, the likeliest first: what the locator says (MS-VHDX 2.6.2.6.3 names the order:
 * relative, volume, absolute path), then its file name beside the image, for chains that were moved as a whole. All are
 * absolute as `platform` understands it, if `childPath` is.
 */
export function parentPaths(childPath: string, locator: NamedPaths, platform: NodeJS.Platform): string[] {
  const candidates = platform === 'win32' ? onWindows(childPath, locator) : elsewhere(childPath, locator);
  return [...new Set(candidates)].filter((candidate) => !candidate.includes('\0'));
}

function onWindows(childPath: string, { relativePath, volumePath, absolutePath }: NamedPaths): string[] {
  const folder = win32.dirname(childPath);
  const named = [
    ...(relativePath && !win32.isAbsolute(relativePath) ? [win32.resolve(folder, relativePath)] : []),
    ...(volumePath ? [volumePath] : []),
    ...(absolutePath ? [absolutePath] : []),
  ];
  const beside = named.map((path) => win32.join(folder, win32.basename(path)));
  return [...named.filter((path) => isReachable(path, childPath)), ...beside];
}

/** On a drive, on a volume, or on the share that the image itself lies on: an image must not send us to any other server. */
function isReachable(path: string, childPath: string): boolean {
  if (/^(?:\\\\\?\\)?[a-z]:\\/i.test(path) || /^\\\\\?\\Volume\{[0-9a-f-]{36}\}\\/i.test(path)) return true;
  const { root } = win32.parse(path);
  return root.startsWith('\\\\') && !/^\\\\[.?]\\/.test(root) && root.toLowerCase() === win32.parse(childPath).root.toLowerCase();
}

function elsewhere(childPath: string, { relativePath, volumePath, absolutePath }: NamedPaths): string[] {
  const folder = posix.dirname(childPath);
  const named = [
    ...(relativePath && !isForeignAbsolute(relativePath) ? [relativePath.replaceAll('\\', '/'), relativePath] : []).map((path) =>
      posix.resolve(folder, path),
    ),
    ...[volumePath, absolutePath].filter((path): path is string => path !== undefined && posix.isAbsolute(path)),
  ];
  const names = [relativePath, volumePath, absolutePath].filter((path) => path !== undefined).map((path) => win32.basename(path));
  return [...named, ...names.map((name) => posix.join(folder, name))];
}

function isForeignAbsolute(path: string): boolean {
  return win32.isAbsolute(path) || /^[a-z]:/i.test(path);
}

/** What a new child says of where its parent lies. On another drive there is no relative path. */
export function locatorPaths(
  childPath: string,
  parentPath: string,
  platform: NodeJS.Platform,
): Pick<NamedPaths, 'relativePath' | 'absolutePath'> {
  const rules = platform === 'win32' ? win32 : posix;
  const relative = rules.relative(rules.dirname(childPath), parentPath);
  if (rules.isAbsolute(relative)) return { absolutePath: parentPath };
  const written = platform === 'win32' ? relative : relative.replaceAll('/', '\\');
  return { relativePath: written.startsWith('..') ? written : `.\\${written}`, absolutePath: parentPath };
}
