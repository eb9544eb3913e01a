import {
  type FileNode,
  type FileSystem,
  type FileSystemInfo,
  type FileSystems,
  FileSystemUnsupportedError,
} from '../../src/filesystems/file-system.ts';
import type { ByteRange } from '../../src/lib/byte-range.ts';

/** A file in the root of a file system that exists only in a test. Ranges are of the volume. */
export interface FakeFile extends Partial<FileNode> {
  readonly name: string;
  readonly at?: readonly ByteRange[];
}

/** What a file system says that exists only in a test. */
export interface FakeFileSystem {
  readonly type?: string;
  readonly journal?: FileSystemInfo['journal'];
  readonly files?: readonly FakeFile[];
  readonly free?: () => Iterable<ByteRange> | AsyncIterable<ByteRange>;
}

/** Room for the name of a fake, behind a boot sector and before what ext and swap look at. */
const NAME_AT = 512;
const NAME_LENGTH = 32;

/** Makes a volume look like NTFS (or what `signature` says at its offset 3) on which the fake of this name lies. */
export function putFakeSystem(volume: Uint8Array, name: string, signature = 'NTFS    '): void {
  volume.set(Buffer.from(signature), 3);
  volume.set(Buffer.from(name.padEnd(NAME_LENGTH)), NAME_AT);
}

/** File systems by the names that `putFakeSystem` put on volumes; a function is asked anew at each opening. */
export function fakeFileSystems(byName: Readonly<Record<string, FakeFileSystem | (() => FakeFileSystem)>>): FileSystems & {
  readonly opened: string[];
} {
  const opened: string[] = [];
  return {
    opened,
    async open(volume) {
      const bytes = Buffer.alloc(NAME_LENGTH);
      await volume.read(NAME_AT, bytes);
      const name = bytes.toString().trimEnd();
      const fake = byName[name];
      if (!fake) throw new FileSystemUnsupportedError(`there is nothing called ${name}`);
      opened.push(name);
      return systemOf(typeof fake === 'function' ? fake() : fake, volume.sizeBytes);
    },
  };
}

function systemOf({ type = 'ntfs', journal = 'clean', files = [], free = () => [] }: FakeFileSystem, sizeBytes: number): FileSystem {
  const nodes = files.map(({ name, at: _, ...told }, index) => ({
    name,
    node: { id: `${index + 1}`, type: 'file' as const, size: 0, links: 1, ...told },
  }));
  const noContent = () => Promise.reject(new Error('a fake has no content'));
  return {
    info: { type, sizeBytes, clusterSize: 4096, journal, notes: [] },
    names: 'utf16',
    root: async () => ({ id: '0', type: 'dir', size: 0, links: 1 }),
    async *list() {
      for (const { name, node } of nodes) yield { name, type: node.type, node: async () => node };
    },
    find: async (_, wanted) => nodes.find(({ name }) => name.toLowerCase() === wanted.toLowerCase())?.node,
    open: noContent,
    extras: noContent,
    allocation: async (file) => [...(files[nodes.findIndex(({ node }) => node.id === file.id)]!.at ?? [])],
    async *free() {
      yield* free();
    },
  };
}
