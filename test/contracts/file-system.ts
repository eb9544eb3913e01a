import { createHash } from 'node:crypto';
import { beforeAll, expect, it } from '@jest/globals';
import type { DirectoryEntry, FileNode, FileSystem } from '../../src/filesystems/file-system.ts';
import { ReadPastEndError } from '../../src/lib/byte-source.ts';
import type { FixtureEntry, FixtureTruth } from '../builders/fixture-volume.ts';

export interface FileSystemFixture {
  readonly open: () => Promise<FileSystem>;
  readonly truth: () => Promise<FixtureTruth>;
  /** How exact its times are, in nanoseconds: 2 s for FAT. */
  readonly timeUnit?: bigint;
  /** What the independent reader does not show (system files), by path. */
  readonly hidden?: RegExp;
}

/** What every reader of a file system obeys, tried on a volume of which an independent reader told the truth. */
export function keepsTheFileSystemContract({ open, truth, timeUnit = 1n, hidden = /^\/(\$|lost\+found)/ }: FileSystemFixture): void {
  let system: FileSystem;
  let entries: readonly FixtureEntry[];
  let found: Map<string, FileNode>;
  beforeAll(async () => {
    system = await open();
    ({ entries } = await truth());
    found = new Map(await Array.fromAsync(walk(system)));
  });

  it('lists what is there, and nothing else', () => {
    expect([...found.keys()].filter((path) => !hidden.test(path)).sort()).toEqual(entries.map(({ path }) => path).sort());
  });

  it('tells types, sizes, links and modes', () => {
    for (const { path, type, size, mode, uid, gid, links, target } of entries) {
      const node = found.get(path)!;
      const told = { path, type: node.type, size: type === 'file' ? node.size : undefined, target: node.target };
      expect(told).toEqual({ path, type, size: type === 'file' ? size : undefined, target });
      if (type !== 'link' && mode !== undefined && node.mode !== undefined) expect({ path, mode: node.mode }).toEqual({ path, mode });
      if (uid !== undefined && node.uid !== undefined) expect({ path, uid: node.uid, gid: node.gid }).toEqual({ path, uid, gid });
      if (type === 'file' && links !== undefined) expect({ path, links: node.links }).toEqual({ path, links });
    }
  });

  it('tells when a file was modified', () => {
    for (const { path, modified, type } of entries) {
      if (modified === undefined || type !== 'file') continue;
      const told = found.get(path)!.modified!;
      const difference = told > BigInt(modified) ? told - BigInt(modified) : BigInt(modified) - told;
      expect({ path, near: difference < timeUnit }).toEqual({ path, near: true });
    }
  });

  it('gives every file its content', async () => {
    for (const { path, sha256, size } of entries) {
      if (sha256 === undefined || found.get(path)!.unreadable !== undefined) continue;
      expect({ path, sha256: await digest(system, found.get(path)!) }).toEqual({ path, sha256 });
      expect((await system.open(found.get(path)!)).sizeBytes).toBe(size);
    }
  });

  it('reads any part of a file as the whole has it', async () => {
    for (const { path, sha256, size } of entries) {
      if (sha256 === undefined || !size || size > 2 ** 20 || found.get(path)!.unreadable !== undefined) continue;
      const content = await system.open(found.get(path)!);
      const whole = await readAll(content, size);
      for (const [offset, length] of [
        [0, 1],
        [size - 1, 1],
        [Math.floor(size / 3), Math.ceil(size / 2)],
      ] as const) {
        const into = new Uint8Array(length).fill(0xaa);
        await content.read(offset, into);
        expect(Buffer.from(into).equals(whole.subarray(offset, offset + length))).toBe(true);
      }
      await expect(content.read(size, new Uint8Array(1))).rejects.toThrow(ReadPastEndError);
    }
  });

  it('calls nothing a hole that holds data', async () => {
    for (const { path, sha256, size } of entries) {
      if (sha256 === undefined || !size || size > 2 ** 22 || found.get(path)!.unreadable !== undefined) continue;
      const content = await system.open(found.get(path)!);
      const whole = await readAll(content, size);
      for (const { offset, length } of await content.data({ offset: 0, length: size })) whole.fill(0, offset, offset + length);
      expect({ path, lost: whole.some((byte) => byte !== 0) }).toEqual({ path, lost: false });
    }
  });

  it('finds by name what it lists', async () => {
    for (const [path, node] of found) {
      const parent = path.lastIndexOf('/') === 0 ? await system.root() : found.get(path.slice(0, path.lastIndexOf('/')))!;
      expect({ path, id: (await system.find(parent, path.slice(path.lastIndexOf('/') + 1)))?.id }).toEqual({ path, id: node.id });
    }
    expect(await system.find(await system.root(), 'no such name')).toBeUndefined();
  });

  it('allocates within the volume, and to nobody what is free', async () => {
    const used = [];
    for (const [, node] of found) if (node.type === 'file') used.push(...(await system.allocation(node)));
    const free = await Array.fromAsync(system.free());
    for (const [index, range] of free.entries()) {
      expect(range.length).toBeGreaterThan(0);
      if (index > 0) expect(range.offset).toBeGreaterThan(free[index - 1]!.offset + free[index - 1]!.length);
    }
    for (const { offset, length } of used) {
      expect(free.some((range) => range.offset < offset + length && offset < range.offset + range.length)).toBe(false);
      expect(offset + length).toBeLessThanOrEqual(system.info.sizeBytes);
    }
  });
}

async function* walk(system: FileSystem): AsyncGenerator<[string, FileNode]> {
  const todo: [string, FileNode][] = [['', await system.root()]];
  for (let next = todo.pop(); next; next = todo.pop()) {
    const [path, directory] = next;
    for await (const entry of system.list(directory)) {
      const node = await checked(entry);
      yield [`${path}/${entry.name}`, node];
      if (node.type === 'dir') todo.push([`${path}/${entry.name}`, node]);
    }
  }
}

async function checked(entry: DirectoryEntry): Promise<FileNode> {
  const node = await entry.node();
  if (entry.type !== undefined) expect({ name: entry.name, type: entry.type }).toEqual({ name: entry.name, type: node.type });
  return node;
}

async function digest(system: FileSystem, node: FileNode): Promise<string> {
  const content = await system.open(node);
  const hash = createHash('sha256');
  const buffer = new Uint8Array(1 << 20);
  for (let offset = 0; offset < content.sizeBytes; offset += buffer.length) {
    const piece = buffer.subarray(0, Math.min(buffer.length, content.sizeBytes - offset));
    await content.read(offset, piece);
    hash.update(piece);
  }
  return hash.digest('hex');
}

async function readAll(content: { read(offset: number, into: Uint8Array): Promise<void> }, size: number): Promise<Uint8Array> {
  const whole = new Uint8Array(size);
  await content.read(0, whole);
  return whole;
}
