import { readBack } from './engine/read-back.ts';
import type { CheckOptions, PoolCheckResult } from './pool.ts';
import { PoolBlocks } from './pool-blocks.ts';
import { liveManifests, type PoolTrash } from './pool-trash.ts';
import type { WriterParts } from './pool-writer.ts';

export async function checkPool(parts: WriterParts, trash: PoolTrash, options: CheckOptions): Promise<PoolCheckResult> {
  const blocks = new PoolBlocks(parts.pool, parts.index, parts.header);
  const verified: string[] = [];
  let blocksRead = 0;
  let bytesRead = 0;
  for (const { manifest } of await liveManifests(parts, trash, {})) {
    if (options.alreadyVerified?.has(manifest.id)) continue;
    const read = await readBack(parts.threads, blocks, manifest, options);
    blocksRead += read.blocksRead;
    bytesRead += read.bytesRead;
    verified.push(manifest.id);
  }
  return { status: 'ok', blocksRead, bytesRead, damage: [], verified, complete: true };
}
