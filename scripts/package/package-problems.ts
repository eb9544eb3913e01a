import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** Files that stand for themselves. */
const SINGLE = ['package.json', 'README.md', 'LICENSE', 'bin/mabs.js'];
/** Folders of the project that go along whole. */
const WHOLE = ['bin', 'docs', 'lab-images', 'changelog'];

/** What a package lacks, and what it should not have: it is the built program, its documents, its images, and nothing of the workshop. */
export async function packageProblems(root: string, packed: readonly string[]): Promise<string[]> {
  const built = (await filesUnder(root, 'src')).map((name) => name.replace(/^src\//, 'dist/').replace(/\.ts$/, '.js'));
  const whole = (await Promise.all(WHOLE.map((folder) => filesUnder(root, folder)))).flat();
  const wanted = new Set([...SINGLE, ...built, ...whole]);
  const found = new Set(packed);
  return [
    ...[...wanted].filter((name) => !found.has(name)).map((name) => `lacks ${name}`),
    ...[...found].filter((name) => !wanted.has(name)).map((name) => `should not have ${name}`),
  ];
}

async function filesUnder(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
}
