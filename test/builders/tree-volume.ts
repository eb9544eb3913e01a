import type { DirectoryEntry, FileNode, FileSystem, FileSystems } from '../../src/filesystems/file-system.ts';
import { FileSystemDamagedError, FileSystemUnsupportedError } from '../../src/filesystems/file-system.ts';
import type { Volume } from '../../src/filesystems/volume.ts';
import { memorySource } from '../../src/lib/byte-source.ts';

/** A file of a made-up volume, by its path; the directories above it come by themselves. */
export interface TreeFile {
  readonly text?: string;
  /** Base64, for what is no text. */
  readonly base64?: string;
  readonly dir?: true;
  readonly target?: string;
  readonly id?: string;
  /** Seconds since 1970. */
  readonly modified?: number;
  readonly mode?: number;
  /** Its directory entry leads to nothing. */
  readonly damaged?: true;
  /** Of a file: its content cannot be read. */
  readonly unreadable?: string;
}

export interface Tree {
  readonly files: Readonly<Record<string, TreeFile | string>>;
  readonly journal?: FileSystem['info']['journal'];
  readonly freeBytes?: number;
  /** What it says of itself. */
  readonly notes?: readonly string[];
  /** What its maps say is free, `[offset, length]`; by default the second half. `damaged`: they cannot be read. */
  readonly free?: readonly (readonly [number, number])[] | 'damaged';
  readonly type?: string;
  /** Opening fails. */
  readonly broken?: 'damaged' | 'unsupported';
}

const TREE_AT = 4096;
const MOST_TREE = 60_000;

/** What to write at the start of a volume, so that `treeFileSystems` reads this tree from it. Only ASCII. */
export function treeVolume(tree: Tree): string {
  const json = JSON.stringify(tree).replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `XFSB${'\0'.repeat(TREE_AT - 4)}${json}\0`.padEnd(8192, '\0');
}

/** File systems that are a tree in JSON behind the signature of XFS: what uses files can be tried without a driver. */
export const treeFileSystems: FileSystems & { opened: number } = {
  opened: 0,
  async open(volume) {
    treeFileSystems.opened += 1;
    const tree = await readTree(volume);
    if (tree.broken === 'damaged') throw new FileSystemDamagedError('xfs', 'its root is gone');
    if (tree.broken === 'unsupported') throw new FileSystemUnsupportedError('the volume is xfs of the year 3000');
    return treeFileSystem(tree, volume);
  },
};

async function readTree(volume: Volume): Promise<Tree> {
  const bytes = new Uint8Array(Math.min(MOST_TREE, volume.sizeBytes - TREE_AT));
  await volume.read(TREE_AT, bytes);
  return JSON.parse(Buffer.from(bytes).toString('latin1').split('\0', 1)[0]!) as Tree;
}

function treeFileSystem({ files, journal = 'clean', notes = [], freeBytes, free, type = 'xfs' }: Tree, volume: Volume): FileSystem {
  const nodes = new Map<string, FileNode>([['/', nodeOf('/', { dir: true })]]);
  const contents = new Map<string, Uint8Array>();
  const damaged = new Set<string>();
  for (const [path, spec] of Object.entries(files)) {
    const file = typeof spec === 'string' ? { text: spec } : spec;
    for (let end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 1)) {
      const above = path.slice(0, end);
      if (!nodes.has(above)) nodes.set(above, nodeOf(above, { dir: true }));
    }
    nodes.set(path, nodeOf(path, file));
    if (file.damaged) damaged.add(path);
    contents.set(nodes.get(path)!.id, bytesOf(file));
  }
  const parentOf = (path: string) => path.slice(0, path.lastIndexOf('/')) || '/';
  const pathOfNode = ({ id }: FileNode) => [...nodes].find(([, node]) => node.id === id)![0];
  const entryOf = (path: string): DirectoryEntry => ({
    name: path.slice(path.lastIndexOf('/') + 1),
    node: async () => {
      if (damaged.has(path)) throw new FileSystemDamagedError('xfs', `the inode of ${path} is gone`);
      return nodes.get(path)!;
    },
  });
  const childrenOf = (directory: FileNode) => {
    const above = pathOfNode(directory);
    return [...nodes.keys()].filter((path) => path !== '/' && parentOf(path) === above);
  };
  return {
    info: {
      ...{ type, sizeBytes: volume.sizeBytes, clusterSize: 4096, journal, notes },
      ...(freeBytes !== undefined && { freeBytes }),
    },
    names: type === 'ntfs' ? 'utf16' : 'bytes',
    root: async () => nodes.get('/')!,
    async *list(directory) {
      for (const path of childrenOf(directory)) yield entryOf(path);
    },
    async find(directory, name) {
      const fold = (text: string) => (type === 'ntfs' || type === 'vfat' ? text.toLowerCase() : text);
      const path = childrenOf(directory).find((own) => fold(own.slice(own.lastIndexOf('/') + 1)) === fold(name));
      return path === undefined ? undefined : await entryOf(path).node();
    },
    async open(file) {
      if (file.unreadable !== undefined) throw new FileSystemDamagedError('xfs', file.unreadable);
      const source = memorySource(contents.get(file.id)!);
      return { sizeBytes: source.sizeBytes, read: source.read, data: async (range) => [range] };
    },
    extras: async () => ({}),
    allocation: async () => [],
    async *free() {
      if (free === 'damaged') throw new FileSystemDamagedError('xfs', 'its map of free space is gone');
      for (const [offset, length] of free ?? [[volume.sizeBytes / 2, volume.sizeBytes / 2]]) yield { offset, length };
    },
  };
}

function nodeOf(path: string, file: TreeFile): FileNode {
  const { dir, target, id = path, modified = 1_700_000_000, mode = 0o644, unreadable } = file;
  const type = dir ? 'dir' : target === undefined ? 'file' : 'link';
  return {
    ...{ id, type, size: dir ? 0 : (target?.length ?? bytesOf(file).length), modified: BigInt(modified) * 1_000_000_000n, mode, links: 1 },
    ...(target !== undefined && { target }),
    ...(unreadable !== undefined && { unreadable }),
  };
}

const bytesOf = ({ text = '', base64 }: TreeFile) => Buffer.from(base64 ?? text, base64 === undefined ? 'utf8' : 'base64');
