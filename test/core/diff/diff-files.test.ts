import { describe, expect, it } from '@jest/globals';
import { type DiffProblems, diffFiles } from '../../../src/core/diff/diff-files.ts';
import { type FileNode, type FileSystem, FileSystemDamagedError } from '../../../src/filesystems/file-system.ts';

/** A file system of one directory; `damaged`: its listing breaks off behind these names. */
function aSystem(names: readonly string[], damaged = false): FileSystem {
  const node = (id: string, type: FileNode['type']): FileNode => ({ id, type, size: 0, links: 1 });
  const system: Partial<FileSystem> = {
    info: { type: 'ext4', sizeBytes: 0, clusterSize: 4096, journal: 'clean', notes: [] },
    root: async () => node('root', 'dir'),
    async *list() {
      for (const name of names) yield { name, node: async () => node(name, 'file') };
      if (damaged) throw new FileSystemDamagedError('ext4', 'a block of names is gone');
    },
  };
  return system as FileSystem;
}

async function diff(before: FileSystem, after: FileSystem) {
  const problems: DiffProblems = { count: 0 };
  const found = await Array.fromAsync(diffFiles(before, after, problems, undefined));
  return { told: found.map(({ difference }) => `${difference.change} ${difference.path}`), problems };
}

describe('a directory that can be read in part alone', () => {
  it('is not said to lack the names that could not be read', async () => {
    const { told, problems } = await diff(aSystem(['a', 'b', 'c']), aSystem(['a', 'new'], true));
    expect(told).toEqual(['added /new']);
    expect(problems).toEqual({ count: 1, first: '/: ext4: a block of names is gone' });
  });

  it('is not said to have got names that it may have had', async () => {
    expect((await diff(aSystem(['a', 'old'], true), aSystem(['a', 'b']))).told).toEqual(['removed /old']);
  });
});
