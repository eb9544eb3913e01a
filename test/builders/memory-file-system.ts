import { type DirectoryEntry, type FileNode, type FileSystem, FileSystemDamagedError } from '../../src/filesystems/file-system.ts';
import { memorySource } from '../../src/lib/byte-source.ts';

/** A name in a directory that is made up for a test. Names may hold anything. */
export interface MemoryFile extends Partial<FileNode> {
  readonly name: string;
  readonly content?: string;
  /** Makes it a directory. A function is asked when the directory is listed: it may answer what contains it. */
  readonly children?: readonly MemoryFile[] | (() => Iterable<MemoryFile>);
  readonly streamContents?: Readonly<Record<string, string>>;
  /** Its entry leads to nothing. */
  readonly damaged?: true;
  /** The names in it cannot be listed past so many. */
  readonly breaksAfter?: number;
}

/** A file system over a tree that a test wrote down, hostile where the test wants it. */
export interface MemoryFileSystem extends FileSystem {
  /** How many nodes were asked for. */
  nodesRead: number;
  /** Directories that are being listed now: what was not closed. */
  listing: number;
}

export function memoryFileSystem(children: readonly MemoryFile[], names: FileSystem['names'] = 'bytes'): MemoryFileSystem {
  const made = new WeakMap<MemoryFile, FileNode>();
  const files = new WeakMap<FileNode, MemoryFile>();
  let ids = 0;
  const nodeOf = (file: MemoryFile): FileNode => {
    const known = made.get(file);
    if (known) return known;
    const { name: _, content = '', children: inside, streamContents, damaged: __, breaksAfter: ___, ...given } = file;
    const type = given.type ?? (inside ? 'dir' : given.target === undefined ? 'file' : 'link');
    const streams = streamContents && Object.entries(streamContents).map(([name, text]) => ({ name, size: text.length }));
    const node: FileNode = { id: `${++ids}`, size: Buffer.byteLength(content), links: 1, ...given, type, ...(streams && { streams }) };
    made.set(file, node);
    files.set(node, file);
    return node;
  };
  const insideOf = (directory: FileNode): Iterable<MemoryFile> => {
    const inside = files.get(directory)?.children;
    if (!inside) throw new Error('only a directory is listed');
    return typeof inside === 'function' ? inside() : inside;
  };
  const top: MemoryFile = { name: '', children };
  const system: MemoryFileSystem = {
    nodesRead: 0,
    listing: 0,
    names,
    info: { type: 'memory', sizeBytes: 2 ** 30, clusterSize: 4096, journal: 'none', notes: [] },
    root: async () => nodeOf(top),
    async *list(directory) {
      system.listing++;
      try {
        let told = 0;
        for (const file of insideOf(directory)) {
          if (told++ === files.get(directory)?.breaksAfter) throw new FileSystemDamagedError('memory', 'the directory ends in the middle');
          yield entryOf(file);
        }
      } finally {
        system.listing--;
      }
    },
    async find(directory, name) {
      const all = [...insideOf(directory)];
      const alike = (file: MemoryFile) => names === 'utf16' && file.name.toUpperCase() === name.toUpperCase();
      const found = all.find((file) => file.name === name) ?? all.find(alike);
      return found && entryOf(found).node();
    },
    async open(node, stream) {
      const file = files.get(node)!;
      const text = stream === undefined ? (file.content ?? '') : file.streamContents![stream]!;
      const { sizeBytes, read } = memorySource(Buffer.from(text));
      return { sizeBytes, read, data: async (range) => [range] };
    },
    extras: async () => ({}),
    allocation: async () => [],
    async *free() {},
  };
  const entryOf = (file: MemoryFile): DirectoryEntry => ({
    name: file.name,
    async node() {
      system.nodesRead++;
      if (file.damaged) throw new FileSystemDamagedError('memory', `the inode of ${file.name} is gone`);
      return nodeOf(file);
    },
  });
  return system;
}
