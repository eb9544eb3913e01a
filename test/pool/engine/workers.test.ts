import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { DiskSource } from '../../../src/disks/disk-source.ts';
import { compareDisk } from '../../../src/pool/engine/compare-disk.ts';
import { createEngineThreads } from '../../../src/pool/engine/engine-threads.ts';
import { readBack } from '../../../src/pool/engine/read-back.ts';
import { restoreDisk } from '../../../src/pool/engine/restore-disk.ts';
import { writeDisk } from '../../../src/pool/engine/write-disk.ts';
import { anEnginePool } from '../../builders/engine-pool.ts';
import { asManifestDisk, inline, restoreContent, writeContent } from '../../builders/engine-run.ts';
import { aFileDisk } from '../../builders/file-disk.ts';
import { someBytes, someKeys } from '../../builders/pool-blocks.ts';

const one = createEngineThreads(1);
const two = createEngineThreads(2);
afterAll(async () => {
  await one[Symbol.asyncDispose]();
  await two[Symbol.asyncDispose]();
});

/** 24 MiB, enough that workers are woken: text, noise that no one can compress, holes, and blocks that come again and again. */
function aMixedDisk(): Buffer {
  const MIB = 1024 * 1024;
  const noise = someBytes('noise', 4 * MIB);
  const text = Buffer.alloc(8 * MIB);
  for (let at = 0; at < text.length; at += 16) text.write(`line ${at}`.padEnd(15), at);
  return Buffer.concat([noise, Buffer.alloc(2 * MIB), text, noise, Buffer.alloc(2 * MIB, 'same'), noise.subarray(0, 4 * MIB - 5)]);
}

const content = aMixedDisk();

describe.each([
  { what: 'a plain pool', keys: undefined },
  { what: 'an encrypted pool', keys: someKeys },
])('with $what', ({ keys }) => {
  it('no, one or two workers store the same blocks and restore the same disk', async () => {
    const options = keys ? { keys } : {};
    const results = [];
    for (const threads of [inline, one, two]) {
      await using pool = await anEnginePool(options);
      const { root, dataBytes, bytesTransferred, blocksDiffering } = await writeContent(pool, content, {}, { threads });
      results.push({ root, dataBytes, bytesTransferred, blocksDiffering });
      const disk = asManifestDisk(pool, content.length, { root, dataBytes });
      expect((await restoreContent(pool, disk, { threads })).equals(content)).toBe(true);
      const read = await readBack(threads, pool.blocks, { disks: [disk] });
      expect(read.bytesRead).toBe(bytesTransferred);
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });
});

describe('a long run', () => {
  it('seals and indexes what it stored now and then, forgets it, and goes on to the same map', async () => {
    await using whole = await anEnginePool({ blockSize: 512 });
    await using parted = await anEnginePool({ blockSize: 512 });
    const disk = Buffer.concat([content.subarray(0, 8_000_000), content.subarray(0, 5_000_000)]);
    const limits = { runTableDigests: 14_000, indexEveryBytes: 300_000, inlineBytes: 0 };
    const expected = await writeContent(whole, disk);
    const result = await writeContent(parted, disk, {}, { threads: two, limits });
    expect(result).toEqual({ ...expected, bytesStored: expect.any(Number) });
    const segments = await Array.fromAsync(parted.store.list('index/'));
    expect(segments.length).toBeGreaterThanOrEqual(3);
    expect((await restoreContent(parted, asManifestDisk(parted, disk.length, result), { threads: two })).equals(disk)).toBe(true);
  });

  it('of 64 TiB that hold next to nothing takes little time and memory', async () => {
    await using pool = await anEnginePool({ blockSize: 262_144 });
    const source = aThinDisk(
      64 * 1024 ** 4,
      new Map([
        [0, 1],
        [2 ** 45 + 7, 2],
        [64 * 1024 ** 4 - 1, 3],
      ]),
    );
    const request = { source, leftOut: [], sample: false, verifyNew: true };
    const first = await writeDisk(two, pool.blocks, request);
    expect(first).toMatchObject({ blocksDiffering: 3, dataBytes: 3 * 262_144 });
    const base = { root: first.root, virtualSize: source.sizeBytes, leftOut: [], dataBytes: first.dataBytes };
    const changed = aThinDisk(
      source.sizeBytes,
      new Map([
        [0, 1],
        [2 ** 45 + 7, 9],
      ]),
    );
    const tracked = {
      ...request,
      source: changed,
      base,
      ranges: [
        { offset: 2 ** 45, length: 100 },
        { offset: source.sizeBytes - 1, length: 1 },
      ],
    };
    const second = await writeDisk(two, pool.blocks, tracked);
    expect(second).toMatchObject({ blocksDiffering: 2, dataBytes: 2 * 262_144, bytesScanned: 512 });
    const third = await writeDisk(two, pool.blocks, { ...request, source: changed, base });
    expect(third.root).toBe(second.root);
  });
});

/** A disk that has a sector with data at each of some places, in no file. */
function aThinDisk(sizeBytes: number, data: ReadonlyMap<number, number>): DiskSource {
  const sectors = [...data].map(([at, byte]) => ({ start: at - (at % 512), at, byte })).sort((a, b) => a.at - b.at);
  return {
    ...{ sizeBytes, logicalSectorSize: 512, physicalSectorSize: 512, files: [] },
    async read(offset, into) {
      into.fill(0);
      for (const { at, byte } of sectors) if (at >= offset && at < offset + into.length) into[at - offset] = byte;
    },
    async extents({ offset, length }) {
      const end = offset + length;
      const edges = [offset, ...sectors.flatMap(({ start }) => [start, start + 512]).filter((edge) => edge > offset && edge < end), end];
      return edges.slice(1).flatMap((to, i) => {
        const from = sectors.some(({ start }) => start <= edges[i]! && edges[i]! < start + 512) ? 'opaque' : 'zero';
        return to > edges[i]! ? [{ offset: edges[i]!, length: to - edges[i]!, from: from as 'opaque' | 'zero' }] : [];
      });
    },
    async [Symbol.asyncDispose]() {},
  };
}

describe('comparing a stored disk with a source', () => {
  it('names exactly the blocks that differ', async () => {
    await using pool = await anEnginePool();
    const disk = asManifestDisk(pool, content.length, await writeContent(pool, content, {}, { threads: two }));
    const changed = Buffer.from(content);
    changed[0]! ^= 1;
    changed.fill(9, 5 * 65_536 - 1, 5 * 65_536 + 1);
    await using same = await aFileDisk(join(pool.path, 'same'), content);
    await using source = await aFileDisk(join(pool.path, 'changed'), changed);
    await using longer = await aFileDisk(join(pool.path, 'longer'), Buffer.concat([content, Buffer.alloc(100)]));
    expect((await compareDisk(two, pool.blocks, disk, same)).differing).toEqual([]);
    expect((await compareDisk(two, pool.blocks, disk, source)).differing).toEqual([
      { offset: 0, length: 65_536 },
      { offset: 4 * 65_536, length: 2 * 65_536 },
    ]);
    const tail = Math.floor(content.length / 65_536) * 65_536;
    expect((await compareDisk(two, pool.blocks, disk, longer)).differing).toEqual([{ offset: tail, length: content.length + 100 - tail }]);
  });
});

describe('a failure', () => {
  it('of the source is told as such, with no file left open in any thread', async () => {
    await using pool = await anEnginePool();
    await using source = await aFileDisk(join(pool.path, 'source'), content);
    const shortened: DiskSource = {
      ...{ sizeBytes: source.sizeBytes + 65_536, logicalSectorSize: 512, physicalSectorSize: 512, files: source.files },
      read: (offset, into) => source.read(offset, into),
      extents: async ({ offset, length }) => [{ offset, length, from: 'file', file: 0, position: offset }],
      async [Symbol.asyncDispose]() {},
    };
    const before = await openFiles(pool.path);
    await expect(writeDisk(two, pool.blocks, { source: shortened, leftOut: [], sample: false, verifyNew: true })).rejects.toMatchObject({
      code: 'MABS-DISK-READ',
      message: expect.stringContaining('the file ends there'),
    });
    expect(await openFiles(pool.path)).toEqual(before);
    const packs = await readdir(join(pool.path, 'packs'), { recursive: true }).catch(() => []);
    expect(packs.filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('of a damaged block names its pack and offset, and nothing of it is written', async () => {
    await using pool = await anEnginePool();
    const disk = asManifestDisk(pool, content.length, await writeContent(pool, content, {}, { threads: two }));
    const broken = await damageOnePack(pool.store);
    await using target = await aFileDisk(join(pool.path, 'target'), content.length);
    const error = { code: 'MABS-BLOCK-DAMAGED', kind: 'damaged', file: broken, offset: expect.any(Number) };
    await expect(restoreDisk(two, pool.blocks, disk, target)).rejects.toMatchObject(error);
    await expect(readBack(two, pool.blocks, { disks: [disk] })).rejects.toMatchObject(error);
    const written = Buffer.alloc(content.length);
    await target.read(0, written);
    for (let at = 0; at < content.length; at += 65_536) {
      const block = written.subarray(at, at + 65_536);
      expect(block.equals(content.subarray(at, at + 65_536)) || block.every((byte) => byte === 0)).toBe(true);
    }
  });

  it('to store is told as such, not as one of the source', async () => {
    await using pool = await anEnginePool();
    await pool.store.put('packs', new Uint8Array(1));
    await expect(writeContent(pool, content, {}, { threads: two })).rejects.toMatchObject({
      code: expect.not.stringMatching('MABS-DISK-READ'),
    });
  });

  it('is not needed to stop: an abort ends a run at once, and the next one goes through', async () => {
    await using pool = await anEnginePool();
    await using source = await aFileDisk(join(pool.path, 'source'), content);
    const controller = new AbortController();
    const request = { source, leftOut: [], sample: false, verifyNew: true, signal: controller.signal };
    const running = writeDisk(two, pool.blocks, request);
    setTimeout(() => controller.abort(), 30);
    await expect(running).rejects.toMatchObject({ code: 'MABS-INTERRUPTED', kind: 'interrupted' });
    const { root } = await writeContent(pool, content, {}, { threads: two });
    expect(root).toMatch(/^[0-9a-f]{64}$/);
  });
});

async function damageOnePack(store: {
  get(name: string): Promise<Uint8Array>;
  remove(name: string): Promise<void>;
  put(name: string, bytes: Uint8Array): Promise<void>;
  list(prefix: string): AsyncIterable<{ name: string; sizeBytes: number }>;
}): Promise<string> {
  const packs = await Array.fromAsync(store.list('packs/'));
  const { name } = packs.sort((a, b) => b.sizeBytes - a.sizeBytes)[0]!;
  const bytes = await store.get(name);
  bytes[Math.floor(bytes.length / 2)]! ^= 4;
  await store.remove(name);
  await store.put(name, bytes);
  return name;
}

/** Files under a folder that this process has open, where the system tells. */
async function openFiles(folder: string): Promise<string[]> {
  const numbers = await readdir('/proc/self/fd').catch(() => []);
  const paths = await Promise.all(numbers.map((number) => readlink(`/proc/self/fd/${number}`).catch(() => '')));
  return paths.filter((path) => path.startsWith(folder)).sort();
}
