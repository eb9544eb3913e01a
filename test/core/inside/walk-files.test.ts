import { describe, expect, it } from '@jest/globals';
import { type WalkOptions, walkFiles } from '../../../src/core/inside/walk-files.ts';
import { type MemoryFile, type MemoryFileSystem, memoryFileSystem } from '../../builders/memory-file-system.ts';

async function* walk(system: MemoryFileSystem, options: WalkOptions = { recursive: true }) {
  yield* walkFiles(system, { names: [], node: await system.root() }, options);
}

async function rows(system: MemoryFileSystem, options?: WalkOptions): Promise<string[]> {
  const told: string[] = [];
  for await (const { path, type, error } of walk(system, options)) told.push(`${type} ${path}${error ? ` ${error.code}` : ''}`);
  return told;
}

const many = (count: number): MemoryFile[] => Array.from({ length: count }, (_, index) => ({ name: `${index}`.padStart(8, '0') }));

describe('a walk', () => {
  it('tells each folder before what is in it, in the order of names', async () => {
    const system = memoryFileSystem([
      { name: 'b' },
      { name: 'a', children: [{ name: 'z' }, { name: 'y', children: [] }] },
      { name: 'c', target: 'a' },
    ]);
    expect(await rows(system)).toEqual(['dir /a', 'dir /a/y', 'file /a/z', 'file /b', 'link /c']);
    expect(await rows(system, {})).toEqual(['dir /a', 'file /b', 'link /c']);
  });

  it('does not enter what it is told not to', async () => {
    const system = memoryFileSystem([
      { name: 'a', children: [{ name: 'x' }] },
      { name: 'b', children: [{ name: 'x' }] },
    ]);
    expect(await rows(system, { recursive: true, enter: ({ path }) => path !== '/a' })).toEqual(['dir /a', 'dir /b', 'file /b/x']);
  });

  it('tells damage as a value, and goes on', async () => {
    const system = memoryFileSystem([
      { name: 'a', damaged: true },
      { name: 'b', children: [{ name: 'x' }, { name: 'y' }], breaksAfter: 1 },
      { name: 'c' },
    ]);
    expect(await rows(system)).toEqual(['other /a MABS-FS-DAMAGED', 'dir /b', 'file /b/x', 'dir /b MABS-FS-DAMAGED', 'file /c']);
  });

  it('rejects where nothing at all can be listed', async () => {
    const system = memoryFileSystem([{ name: 'a', children: [{ name: 'x' }], breaksAfter: 0 }]);
    const node = await system.find(await system.root(), 'a');
    await expect(Array.fromAsync(walkFiles(system, { names: ['a'], node: node! }))).rejects.toMatchObject({ code: 'MABS-FS-DAMAGED' });
  });

  it('ends on loops, and where trees meet', async () => {
    const loop: MemoryFile = { name: 'loop', id: 'loop', children: () => [loop, { name: 'x' }] };
    expect(await rows(memoryFileSystem([loop]))).toEqual(['dir /loop', 'dir /loop/loop', 'dir /loop/loop MABS-FS-DAMAGED', 'file /loop/x']);
    // Each level is reached twice: a walk that did not remember would take 2^40 steps.
    const level = (depth: number): MemoryFile[] =>
      depth === 40 ? [] : ['a', 'b'].map((name) => ({ name, id: `level ${depth}`, children: () => level(depth + 1) }));
    expect(await rows(memoryFileSystem(level(0)))).toHaveLength(40 * 3);
  });

  it('ends in the depth', async () => {
    let id = 0;
    const deeper = (): MemoryFile => ({ name: 'd', id: `deep ${id++}`, children: () => [deeper()] });
    const told = await Array.fromAsync(walk(memoryFileSystem([deeper()])));
    expect(told).toHaveLength(10_001);
    expect(told.at(-1)).toMatchObject({ error: { code: 'MABS-FS-DAMAGED' } });
  });

  it('reads no more than it was asked for, and lets go of what it reads', async () => {
    const system = memoryFileSystem([{ name: 'a', children: many(50) }]);
    for await (const { path } of walk(system)) if (path === '/a/00000002') break;
    expect(system.nodesRead).toBe(4);
    expect(system.listing).toBe(0);
    await rows(system);
    expect(system.listing).toBe(0);
  });

  it('holds a bounded number of names of a folder of any size', async () => {
    let made = 0;
    let ahead = 0;
    const system = memoryFileSystem([
      {
        name: 'huge',
        *children() {
          for (; made < 100_000; made++) yield { name: `${100_000 - made}` };
        },
      },
    ]);
    let told = 0;
    for await (const _ of walk(system)) ahead = Math.max(ahead, made - told++);
    expect(told).toBe(100_001);
    expect(ahead).toBeLessThanOrEqual(10_001);
  });

  it('ends when it is told to', async () => {
    const stop = new AbortController();
    const walking = walk(memoryFileSystem(many(10)), { signal: stop.signal });
    await walking.next();
    stop.abort();
    await expect(walking.next()).rejects.toMatchObject({ code: 'MABS-INTERRUPTED' });
  });
});
