import { hash, randomUUID } from 'node:crypto';
import type { DiskSource } from '../../src/disks/disk-source.ts';
import { normalizeRanges } from '../../src/lib/byte-range.ts';
import type { Manifest, ManifestDisk, StoredManifest } from '../../src/model/manifest.ts';
import type { DiskWriteRequest, DiskWriteResult, Pool, PoolRecord, PoolWriter } from '../../src/pool/pool.ts';

const BLOCK = 65_536;

/** What a test sees and bends of a pool in memory. */
export interface MemoryPool extends Pool {
  readonly requests: DiskWriteRequest[];
  /** The next sampling finds this many mismatches. */
  mismatches: number;
  readonly readBacks: string[];
  readonly live: Map<number, Manifest>;
  /** Numbers whose manifest is gone without having been purged. */
  readonly lost: Set<number>;
}

/** A pool that keeps whole disks in memory: the law of the port for tests of the jobs, and nothing of its economy. */
export function aMemoryPool(id = randomUUID()): MemoryPool {
  const contents = new Map<string, Uint8Array>();
  const live = new Map<number, Manifest>();
  const trash = new Map<number, { manifest: Manifest; trashedAt: string; reason: string }>();
  const records: PoolRecord[] = [];
  const contentOf = (root: string) => {
    const found = contents.get(root);
    if (!found) throw new Error(`the pool does not hold ${root}`);
    return found;
  };
  let seq = 0;
  const pool: MemoryPool = {
    requests: [],
    mismatches: 0,
    readBacks: [],
    live,
    lost: new Set(),
    info: { id, formatVersion: 1, encrypted: false, blockSize: BLOCK, createdAt: '2026-01-01T00:00:00.000Z' },
    async listManifests({ afterSeq = 0 } = {}) {
      return [...live].filter(([number]) => number > afterSeq).map(([number, manifest]): StoredManifest => ({ seq: number, manifest }));
    },
    listRoll: async () => ({ live: [...live.keys()], isExplained: (number) => number <= seq && !pool.lost.has(number), highest: seq }),
    async putRecord(kind, owner, payload) {
      const number = 1 + records.filter((record) => record.kind === kind && record.owner === owner).length;
      const record: PoolRecord = { kind, owner, number, payload: structuredClone(payload) };
      records.push(record);
      return record;
    },
    latestRecords: async (kind) => new Map(records.filter((record) => record.kind === kind).map((record) => [record.owner, record])),
    latestRecord: async (kind, owner) => records.findLast((record) => record.kind === kind && record.owner === owner),
    async beginWrite(): Promise<PoolWriter> {
      return {
        async writeDisk(request) {
          pool.requests.push(request);
          return writeDisk(request);
        },
        async commitManifest(manifest) {
          live.set(++seq, structuredClone(manifest));
          return { seq, manifest };
        },
        async [Symbol.asyncDispose]() {},
      };
    },
    openDisk: async (disk) => sourceOf(disk, contentOf(disk.root)),
    async restoreDisk(disk, target, options) {
      const content = contentOf(disk.root);
      let bytesWritten = 0;
      for (let offset = 0; offset < content.length; offset += BLOCK) {
        options?.signal?.throwIfAborted();
        const block = content.subarray(offset, offset + BLOCK);
        if (block.every((byte) => byte === 0)) continue;
        await target.write(offset, block);
        bytesWritten += block.length;
      }
      return { bytesWritten };
    },
    async compareDisk(disk, source) {
      const read = await readAll(source);
      const differing = differingBlocks(contentOf(disk.root), read).map((offset) => ({ offset, length: BLOCK }));
      return { differing, bytesRead: read.length };
    },
    async compareDisks(before, after) {
      const end = Math.max(before.virtualSize, after.virtualSize);
      const [old, now] = [before, after].map(({ root }) => Buffer.concat([contentOf(root), Buffer.alloc(end)], end));
      return normalizeRanges(differingBlocks(old!, now!).map((offset) => ({ offset, length: Math.min(BLOCK, end - offset) })));
    },
    async identifyRange(disk, { offset, length }) {
      const first = Math.floor(offset / BLOCK) * BLOCK;
      const touched = contentOf(disk.root).subarray(first, Math.ceil((offset + length) / BLOCK) * BLOCK);
      return `${hash('sha256', touched, 'hex')} ${offset} ${length}`;
    },
    async readBack(manifest) {
      pool.readBacks.push(manifest.id);
      for (const disk of manifest.disks) contentOf(disk.root);
      return { blocksRead: 0, bytesRead: 0 };
    },
    check: async () => ({ status: 'ok', blocksRead: 0, bytesRead: 0, damage: [], verified: [], complete: true }),
    async moveToTrash(number, reason) {
      const manifest = live.get(number);
      if (!manifest) return;
      trash.set(number, { manifest, trashedAt: new Date().toISOString(), reason });
      live.delete(number);
    },
    listTrash: async () => [...trash].map(([number, entry]) => ({ seq: number, ...entry })),
    async purge(seqs) {
      for (const number of seqs) {
        live.delete(number);
        trash.delete(number);
      }
    },
    planSweep: async () => noSweep(),
    sweep: async () => noSweep(),
    usage: async () => ({ capacityBytes: 1e12, freeBytes: 1e12, logicalBytes: 0, storedBytes: 0, blocks: 0 }),
    addKey: async () => ({ keyId: '1' }),
    removeKey: async () => {},
    listKeys: async () => [],
    exportKey: async () => '',
    async [Symbol.asyncDispose]() {},
  };

  async function writeDisk(request: DiskWriteRequest): Promise<DiskWriteResult> {
    const before = request.base ? contentOf(request.base.root) : new Uint8Array(0);
    const source = await readAll(request.source);
    const content = source.slice();
    if (request.ranges) {
      // Blocks outside the ranges stay as they were, as the tracking claims.
      content.set(before.subarray(0, content.length));
      for (const { offset, length } of request.ranges) {
        const start = Math.floor(offset / BLOCK) * BLOCK;
        const end = Math.min(Math.ceil((offset + length) / BLOCK) * BLOCK, source.length);
        content.set(source.subarray(start, end), start);
      }
    }
    const differing = differingBlocks(before, content).length;
    const root = hash('sha256', content, 'hex');
    contents.set(root, content);
    const scanned = request.ranges ? request.ranges.reduce((sum, { length }) => sum + length, 0) : source.length;
    const sampleMismatches = request.sample ? pool.mismatches : 0;
    pool.mismatches = 0;
    const changed = differing * BLOCK;
    return {
      root,
      dataBytes: differingBlocks(new Uint8Array(0), content).length * BLOCK,
      bytesScanned: scanned,
      bytesSampled: request.sample ? BLOCK : 0,
      bytesChanged: changed,
      blocksDiffering: differing,
      bytesTransferred: changed,
      bytesStored: changed,
      sampleMismatches,
      blocksMended: 0,
    };
  }
  return pool;
}

function differingBlocks(before: Uint8Array, after: Uint8Array): number[] {
  const offsets: number[] = [];
  const zero = new Uint8Array(BLOCK);
  for (let offset = 0; offset < after.length; offset += BLOCK) {
    const block = after.subarray(offset, offset + BLOCK);
    const old = offset < before.length ? before.subarray(offset, offset + BLOCK) : zero.subarray(0, block.length);
    if (!Buffer.from(block).equals(old)) offsets.push(offset);
  }
  return offsets;
}

async function readAll(source: DiskSource): Promise<Uint8Array> {
  const content = new Uint8Array(source.sizeBytes);
  await source.read(0, content);
  return content;
}

function sourceOf(disk: ManifestDisk, content: Uint8Array): DiskSource {
  return {
    sizeBytes: content.length,
    logicalSectorSize: disk.logicalSectorSize,
    physicalSectorSize: disk.physicalSectorSize,
    files: [],
    async read(offset, into) {
      into.set(content.subarray(offset, offset + into.length));
    },
    extents: async (range) => [{ ...range, from: 'opaque' }],
    async [Symbol.asyncDispose]() {},
  };
}

function noSweep() {
  return { deadBlocks: 0, deadBytes: 0, packsToRemove: [], packsToRewrite: [], bytesFreed: 0 };
}
