import { describe, expect, it } from '@jest/globals';
import type { ExtVolume } from '../../../src/filesystems/ext/ext-volume.ts';
import { INODE_FLAGS, type Inode } from '../../../src/filesystems/ext/inode.ts';
import { type JournalLog, openLog } from '../../../src/filesystems/ext/journal/journal-log.ts';
import { BLOCK_TYPE, JOURNAL_MAGIC } from '../../../src/filesystems/ext/journal/journal-superblock.ts';
import { scanJournal } from '../../../src/filesystems/ext/journal/scan-journal.ts';
import { memorySource } from '../../../src/lib/byte-source.ts';

const BLOCK = 1024;

/** A volume of 1 MiB whose superblock claims a TiB. */
const ext = {
  volume: memorySource(new Uint8Array(1024 * BLOCK)),
  superblock: { type: 'ext4', blockSize: BLOCK, blocks: 2 ** 30, hasMetadataChecksums: false, raw: { firstDataBlock: 1 } },
  groups: new Map(),
} as unknown as ExtVolume;

/** A block of the log of transaction 1. */
function aBlock(type: number, fill: (view: DataView) => void = () => {}): Uint8Array {
  const view = new DataView(new ArrayBuffer(BLOCK));
  view.setUint32(0, JOURNAL_MAGIC);
  view.setUint32(4, type);
  view.setUint32(8, 1);
  fill(view);
  return new Uint8Array(view.buffer);
}

describe('a hostile journal', () => {
  it('whose extents name one place again and again is not read', async () => {
    const view = new DataView(new ArrayBuffer(60));
    for (const [at, value] of [
      [0, 0xf30a],
      [2, 4],
      [4, 4],
    ] as const)
      view.setUint16(at, value, true);
    for (let extent = 0; extent < 4; extent += 1) {
      view.setUint32(12 + extent * 12, extent * 800, true);
      view.setUint16(16 + extent * 12, 800, true);
      view.setUint32(20 + extent * 12, 100, true);
    }
    const inode = { number: 8, flags: INODE_FLAGS.extents, size: BigInt(3200 * BLOCK), block: new Uint8Array(view.buffer) };
    expect(await openLog(ext, inode as unknown as Inode)).toBe('the journal is larger than the volume');
  });

  it('that revokes without end is damaged, after a bounded number of reads', async () => {
    const revocation = aBlock(BLOCK_TYPE.revoke, (view) => {
      view.setUint32(12, BLOCK);
      for (let at = 16; at < BLOCK; at += 4) view.setUint32(at, at);
    });
    let reads = 0;
    const superblock = { start: 1, sequence: 1, first: 1, end: 2 ** 31, checksums: 'none', hasWideNumbers: false };
    const read = async () => {
      reads += 1;
      return revocation;
    };
    const log = { ext, superblock, read } as unknown as JournalLog;
    await expect(scanJournal(log)).rejects.toMatchObject({
      code: 'MABS-FS-DAMAGED',
      message: expect.stringContaining('revokes more than'),
    });
    expect(reads).toBeLessThan(5000);
  });
});
