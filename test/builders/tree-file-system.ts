import type { FileContent, FileExtras, FileNode, FileSystem } from '../../src/filesystems/file-system.ts';
import { memorySource } from '../../src/lib/byte-source.ts';

/** What a tree in memory is made of. */
export interface TreeEntry {
  readonly name: string;
  readonly type?: FileNode['type'];
  readonly content?: string | Uint8Array;
  readonly children?: readonly TreeEntry[] | (() => Iterable<TreeEntry>);
  readonly extras?: FileExtras;
  readonly streamContents?: Readonly<Record<string, string>>;
  /** Over what follows from the rest. */
  readonly node?: Partial<FileNode>;
  /** What asking for the node, listing it or opening it answers. */
  readonly failing?: { readonly node?: Error; readonly list?: Error; readonly open?: Error; readonly read?: Error };
  /** Of a sparse file: ranges that hold data; the rest reads as zero. */
  readonly data?: FileContent['data'];
}

/** A file system that serves whatever tree it is given: names and answers that no sound one has, too. */
export function treeFileSystem(children: TreeEntry['children'], names: FileSystem['names'] = 'bytes'): FileSystem {
  const entries = new Map<string, TreeEntry>();
  let next = 1;
  const nodeOf = (entry: TreeEntry): FileNode => {
    const type = entry.type ?? (entry.children ? 'dir' : 'file');
    const streams = Object.entries(entry.streamContents ?? {}).map(([name, text]) => ({ name, size: Buffer.byteLength(text) }));
    const node: FileNode = {
      id: String(next++),
      type,
      size: type === 'file' ? bytesOf(entry.content).length : 0,
      links: 1,
      ...(streams.length > 0 && { streams }),
      ...entry.node,
    };
    entries.set(node.id, entry);
    return node;
  };
  const root = nodeOf({ name: '', ...(children && { children }) });
  return {
    info: { type: 'memory', sizeBytes: 2 ** 30, clusterSize: 4096, journal: 'none', notes: [] },
    names,
    root: async () => root,
    async *list(directory) {
      const { children: listed, failing } = entries.get(directory.id)!;
      for (const entry of typeof listed === 'function' ? listed() : (listed ?? [])) {
        yield {
          name: entry.name,
          node: async () => {
            if (entry.failing?.node) throw entry.failing.node;
            return nodeOf(entry);
          },
        };
      }
      if (failing?.list) throw failing.list;
    },
    async find(directory, name) {
      for await (const entry of this.list(directory)) if (entry.name === name) return entry.node();
      return undefined;
    },
    async open(file, stream) {
      const entry = entries.get(file.id)!;
      if (entry.failing?.open) throw entry.failing.open;
      const bytes = bytesOf(stream === undefined ? entry.content : entry.streamContents?.[stream]);
      const source = memorySource(bytes);
      return {
        sizeBytes: stream === undefined ? file.size : bytes.length,
        async read(offset, into) {
          if (entry.failing?.read && offset > 0) throw entry.failing.read;
          if (entry.data && stream === undefined) into.fill(0x55);
          else await source.read(offset, into);
        },
        data: entry.data && stream === undefined ? entry.data : async (range) => (range.length > 0 ? [range] : []),
      };
    },
    extras: async (file) => entries.get(file.id)?.extras ?? {},
    allocation: async () => [],
    async *free() {},
  };
}

function bytesOf(content: string | Uint8Array | undefined): Uint8Array {
  return typeof content === 'string' ? Buffer.from(content) : (content ?? new Uint8Array());
}
