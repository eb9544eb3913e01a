import { unlessDamaged } from '../../unless-damaged.ts';
import type { Volume } from '../../volume.ts';
import { chainCrc32c } from '../ext-checksum.ts';
import { damaged } from '../ext-volume.ts';
import type { JournalLog } from './journal-log.ts';
import { JOURNAL_MAGIC } from './journal-superblock.ts';
import type { ReplayedBlock } from './scan-journal.ts';

/** The volume as it is when the journal was replayed into it. A block that does not have its checksum in the journal cannot be read. */
export function replayedVolume(volume: Volume, log: JournalLog, blocks: ReadonlyMap<number, ReplayedBlock>): Volume {
  const { blockSize } = log.ext.superblock;
  return {
    sizeBytes: volume.sizeBytes,
    async read(offset, into) {
      await volume.read(offset, into);
      const end = offset + into.length;
      for (let number = Math.floor(offset / blockSize); number * blockSize < end; number += 1) {
        const replayed = blocks.get(number);
        if (!replayed) continue;
        const bytes = await readReplayed(log, replayed);
        const start = Math.max(number * blockSize, offset);
        const stop = Math.min((number + 1) * blockSize, end);
        into.set(bytes.subarray(start - number * blockSize, stop - number * blockSize), start - offset);
      }
    },
  };
}

/** Bytes of what is pending that are looked through beforehand. */
const MOST_LOOKED_THROUGH = 8 * 1024 * 1024;

/**
 * A block that cannot be read from the replayed volume, as it is not in the log or does not have its checksum; of a log with very much pending only the
 * first part is looked through, and the rest is checked when it is read.
 */
export async function findDamagedBlock(log: JournalLog, blocks: ReadonlyMap<number, ReplayedBlock>): Promise<number | undefined> {
  let left = MOST_LOOKED_THROUGH / log.ext.superblock.blockSize;
  for (const [number, replayed] of blocks) {
    if (left <= 0) return undefined;
    left -= 1;
    const bytes = await unlessDamaged(() => log.read(replayed.at));
    if (!bytes || !hasItsChecksum(log, replayed, bytes)) return number;
  }
  return undefined;
}

async function readReplayed(log: JournalLog, replayed: ReplayedBlock): Promise<Uint8Array> {
  const bytes = await log.read(replayed.at);
  if (!hasItsChecksum(log, replayed, bytes)) throw damaged(log.ext, `block ${replayed.block} does not have its checksum in the journal`);
  if (!replayed.isEscaped) return bytes;
  const restored = bytes.slice();
  new DataView(restored.buffer).setUint32(0, JOURNAL_MAGIC);
  return restored;
}

/** The checksum begins with the number of the transaction and covers the block as the log has it. */
function hasItsChecksum(
  { superblock: { checksums, checksumSeed } }: JournalLog,
  { sequence, checksum }: ReplayedBlock,
  bytes: Uint8Array,
): boolean {
  if (checksums !== 'v2' && checksums !== 'v3') return true;
  const number = new Uint8Array(4);
  new DataView(number.buffer).setUint32(0, sequence);
  const right = chainCrc32c(chainCrc32c(checksumSeed, number), bytes);
  return checksum === (checksums === 'v3' ? right : right & 0xffff);
}
