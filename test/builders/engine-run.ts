import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { ByteRange } from '../../src/lib/byte-range.ts';
import type { ManifestDisk } from '../../src/model/manifest.ts';
import { createEngineThreads } from '../../src/pool/engine/engine-threads.ts';
import { restoreDisk } from '../../src/pool/engine/restore-disk.ts';
import { writeDisk } from '../../src/pool/engine/write-disk.ts';
import { writeLimits } from '../../src/pool/engine/write-run.ts';
import type { DiskWriteRequest, DiskWriteResult } from '../../src/pool/pool.ts';
import type { EnginePool } from './engine-pool.ts';
import { aFileDisk } from './file-disk.ts';

/** No workers: all in the calling thread. */
export const inline = createEngineThreads(0);

/** A line of a manifest for what a write answered. */
export function asManifestDisk(
  pool: EnginePool,
  virtualSize: number,
  { root, dataBytes }: Pick<DiskWriteResult, 'root' | 'dataBytes'>,
  leftOut: readonly ByteRange[] = [],
): ManifestDisk {
  return {
    ...{ index: 0, key: 'disk', path: 'disk0.vhdx', controller: 'scsi', format: 'vhdx' as const, virtualSize, root, dataBytes },
    ...{ logicalSectorSize: 512, physicalSectorSize: 4096, blockSize: pool.blocks.blockSize, tracking: 'initial' as const },
    leftOut: leftOut.map(({ offset, length }) => [offset, length] as [number, number]),
  };
}

/** Writes a content as a disk into a pool. */
export async function writeContent(
  pool: EnginePool,
  content: Uint8Array,
  request: Partial<DiskWriteRequest> = {},
  { threads = inline, opaque = false, limits = writeLimits } = {},
): Promise<DiskWriteResult> {
  await using source = await aFileDisk(join(pool.path, `source-${randomUUID()}`), content, { opaque });
  return await writeDisk(threads, pool.blocks, { source, leftOut: [], sample: false, verifyNew: true, ...request }, limits);
}

/** What a restore writes to a new target. */
export async function restoreContent(pool: EnginePool, disk: ManifestDisk, { threads = inline, opaque = false } = {}): Promise<Buffer> {
  await using target = await aFileDisk(join(pool.path, `target-${randomUUID()}`), disk.virtualSize, { opaque });
  await restoreDisk(threads, pool.blocks, disk, target);
  const content = Buffer.alloc(disk.virtualSize);
  await target.read(0, content);
  return content;
}
