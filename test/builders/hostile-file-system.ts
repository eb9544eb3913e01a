import type { FileSystem } from '../../src/filesystems/file-system.ts';
import { type TreeEntry, treeFileSystem } from './tree-file-system.ts';

/** What is written to a file of a hostile name: by it the name is known again. */
export const contentOf = (place: string, index: number) => `${place} ${index}`;

/**
 * A file system of which nothing is to be believed: in `files` a file of each hostile name; in `folders` a folder of each that is named, and
 * in it the worst of them; in `links` links that lead out, each followed by a folder of the same name with a file in it.
 */
export function hostileFileSystem(
  outside: string,
  names: FileSystem['names'],
  hostile: readonly string[],
  inFolders: readonly string[],
): FileSystem {
  const files = hostile.map((name, index): TreeEntry => ({ name, content: contentOf('files', index) }));
  const folders = inFolders.map(
    (name, index): TreeEntry => ({
      name,
      children: [
        { name: '..', content: contentOf('folders', index) },
        { name: '../escaped', content: 'x' },
        { name: `${outside}/escaped`, content: 'x' },
        { name: 'link', type: 'link', node: { target: '..' } },
        { name: 'link', children: [{ name: 'escaped', content: 'x' }] },
      ],
    }),
  );
  const links = ['..', '/', outside, `${outside}/escaped`, '../../..', 'C:\\Windows', '\\\\server\\share', '.'].flatMap(
    (target, index): TreeEntry[] => [
      { name: `link${index}`, type: 'link', node: { target } },
      { name: `link${index}`, children: [{ name: 'escaped', content: 'x' }] },
      { name: `link${index}`, content: 'escaped' },
      { name: `LINK${index}`, children: [{ name: 'escaped', content: 'x' }] },
    ],
  );
  const tree: TreeEntry[] = [
    { name: 'files', children: files },
    { name: 'folders', children: folders },
    { name: 'links', children: links },
  ];
  return treeFileSystem(tree, names);
}
