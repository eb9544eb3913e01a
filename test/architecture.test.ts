import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const SRC = join(dirname(fileURLToPath(import.meta.url)), '..', 'src');

const DISK_PORTS = ['disks/disk-source.ts', 'disks/disk-format.ts'];

/** What each folder may import, besides itself. Arrows run down only. */
const MAY_USE: Record<string, readonly string[]> = {
  cli: ['core', ...DISK_PORTS, 'filesystems/file-system.ts', 'hosts/host.ts', 'catalogs/catalog.ts', 'pool/pool.ts', 'model', 'lib'],
  core: [
    'pool',
    'hosts/host.ts',
    ...DISK_PORTS,
    'filesystems/file-system.ts',
    'filesystems/detect.ts',
    'filesystems/unread-system.ts',
    'filesystems/swap-area.ts',
    'filesystems/cached-volume.ts',
    'catalogs/catalog.ts',
    'model',
    'lib',
  ],
  pool: ['stores/blob-store.ts', ...DISK_PORTS, 'model', 'lib'],
  model: ['lib'],
  hosts: [...DISK_PORTS, 'model', 'lib'],
  disks: ['lib'],
  filesystems: [...DISK_PORTS, 'lib'],
  stores: ['model', 'lib'],
  catalogs: ['model', 'lib'],
  lib: [],
};

/** Composition roots: they join what nothing else may join. */
const ROOTS = /^(main\.ts|pool\/(.*\/)?[a-z-]+-worker\.ts)$/;

/** Folders whose subfolders are implementations that must not know each other; only `registry.ts` names them. */
const PLURAL = ['disks', 'hosts', 'stores', 'catalogs', 'filesystems'];

const files = readdirSync(SRC, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => relative(SRC, join(entry.parentPath, entry.name)).split(sep).join('/'));

const imports = files.flatMap((from) => {
  const source = readFileSync(join(SRC, from), 'utf8');
  const found = source.matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g);
  return [...found].map(([, target]) => ({ from, to: posix.normalize(posix.join(posix.dirname(from), target!)) }));
});

const topFolder = (file: string) => file.split('/')[0]!;
const implementationOf = (file: string) =>
  file.split('/').length > 2 && PLURAL.includes(topFolder(file)) ? file.split('/').slice(0, 2).join('/') : undefined;

describe('the structure', () => {
  it('has files and imports to look at', () => {
    expect(files.length).toBeGreaterThan(20);
    expect(imports.length).toBeGreaterThan(20);
  });

  it('lets arrows run down only', () => {
    const wrong = imports.filter(({ from, to }) => {
      if (ROOTS.test(from) || topFolder(from) === topFolder(to)) return false;
      return !MAY_USE[topFolder(from)]?.some((place) => to === place || to.startsWith(`${place}/`));
    });
    expect(wrong).toEqual([]);
  });

  it('names implementations only in their registry', () => {
    const wrong = imports.filter(({ from, to }) => {
      const implementation = implementationOf(to);
      if (!implementation || implementation === implementationOf(from)) return false;
      return !(ROOTS.test(from) || from === `${topFolder(to)}/registry.ts`);
    });
    expect(wrong).toEqual([]);
  });

  it('hands registries only to composition roots', () => {
    expect(imports.filter(({ from, to }) => to.endsWith('/registry.ts') && !ROOTS.test(from))).toEqual([]);
  });

  it('has no cycles', () => {
    const next = Map.groupBy(imports, ({ from }) => from);
    const state = new Map<string, 'open' | 'done'>();
    const cycles: string[][] = [];
    const visit = (file: string, path: string[]) => {
      if (state.get(file) === 'done') return;
      if (state.get(file) === 'open') {
        cycles.push([...path.slice(path.indexOf(file)), file]);
        return;
      }
      state.set(file, 'open');
      for (const { to } of next.get(file) ?? []) visit(to, [...path, file]);
      state.set(file, 'done');
    };
    for (const file of files) visit(file, []);
    expect(cycles).toEqual([]);
  });

  it('has no drawers and no file over 300 lines', () => {
    expect(files.filter((file) => /(^|\/)(utils?|helpers?|common|misc)\.ts$/.test(file))).toEqual([]);
    const long = files.filter((file) => readFileSync(join(SRC, file), 'utf8').split('\n').length > 301);
    expect(long).toEqual([]);
  });
});
