import { describe, expect, it } from '@jest/globals';
import type { ExtVolume } from '../../../src/filesystems/ext/ext-volume.ts';
import type { JournalLog } from '../../../src/filesystems/ext/journal/journal-log.ts';
import { parseJournalSuperblock } from '../../../src/filesystems/ext/journal/journal-superblock.ts';
import { replayedVolume } from '../../../src/filesystems/ext/journal/replayed-volume.ts';
import { scanJournal } from '../../../src/filesystems/ext/journal/scan-journal.ts';
import { FileSystemDamagedError } from '../../../src/filesystems/file-system.ts';
import { memorySource } from '../../../src/lib/byte-source.ts';
import { aJournal, type JournalPlan } from '../../builders/ext-journal.ts';

const BLOCK = 1024;
const block = (fill: number) => new Uint8Array(BLOCK).fill(fill);
const MAGIC = Uint8Array.of(0xc0, 0x3b, 0x39, 0x98);
const beginsWithMagic = (fill: number) => {
  const content = block(fill);
  content.set(MAGIC);
  return content;
};

function logOf(plan: Omit<JournalPlan, 'blockSize' | 'blocks'>): JournalLog {
  const blocks = aJournal({ ...plan, blockSize: BLOCK, blocks: 32 });
  const superblock = parseJournalSuperblock(blocks[0]!, BLOCK, blocks.length);
  if (typeof superblock === 'string') throw new Error(superblock);
  const ext = { superblock: { blockSize: BLOCK, type: 'ext4' } } as ExtVolume;
  return { ext, superblock, read: async (number) => blocks[number]! };
}

/** What a volume of 16 blocks (each full of its own number) holds after the replay, by block: only what is different. */
async function replayed(log: JournalLog): Promise<Record<number, number>> {
  const bytes = Uint8Array.from({ length: 16 * BLOCK }, (_, at) => Math.floor(at / BLOCK));
  const volume = replayedVolume(memorySource(bytes), log, (await scanJournal(log)).blocks);
  const whole = new Uint8Array(bytes.length);
  await volume.read(0, whole);
  const changed = Array.from({ length: 16 }, (_, number) => [number, whole[number * BLOCK + 100]!] as const);
  return Object.fromEntries(changed.filter(([number, value]) => number !== value));
}

describe.each(['none', 'whole', 'v2', 'v3'] as const)('a journal with checksums %s', (checksums) => {
  it.each([false, true])('is replayed up to its last commit (64-bit numbers: %s)', async (wide) => {
    const log = logOf({
      checksums,
      wide,
      transactions: [
        {
          writes: [
            { block: 3, content: block(103) },
            { block: 4, content: block(104) },
          ],
        },
        { writes: [{ block: 3, content: block(203) }] },
        { writes: [{ block: 5, content: block(105) }], isCommitted: false },
      ],
    });
    expect(await replayed(log)).toEqual({ 3: 203, 4: 104 });
    expect(await scanJournal(log)).toMatchObject({ nextSequence: 9 });
    expect((await scanJournal(log)).problem).toBeUndefined();
  });

  it('goes around at its end, and its numbers at 2^32', async () => {
    const writes = [6, 7, 8].map((number) => ({ block: number, content: block(number + 100) }));
    const log = logOf({
      checksums,
      start: 29,
      sequence: 0xffff_ffff,
      transactions: [{ writes }, { writes: [{ block: 6, content: block(206) }] }],
    });
    // The second transaction has number 2^32, which is 0.
    expect(await replayed(log)).toEqual({ 6: 206, 7: 107, 8: 108 });
    expect((await scanJournal(log)).nextSequence).toBe(1);
  });

  it('brings back what began with its own magic number', async () => {
    const log = logOf({ checksums, transactions: [{ writes: [{ block: 2, content: beginsWithMagic(102) }] }] });
    const volume = replayedVolume(memorySource(new Uint8Array(4 * BLOCK)), log, (await scanJournal(log)).blocks);
    const into = new Uint8Array(6);
    await volume.read(2 * BLOCK, into);
    expect(into).toEqual(Uint8Array.of(...MAGIC, 102, 102));
  });

  it('does not bring back what was revoked, unless it was written again', async () => {
    const log = logOf({
      checksums,
      transactions: [
        {
          writes: [
            { block: 3, content: block(103) },
            { block: 4, content: block(104) },
            { block: 5, content: block(105) },
          ],
        },
        { revokes: [3, 4], writes: [{ block: 9, content: block(109) }] },
        { writes: [{ block: 4, content: block(204) }] },
        { revokes: [5], isCommitted: false },
      ],
    });
    expect(await replayed(log)).toEqual({ 4: 204, 5: 105, 9: 109 });
  });
});

describe('a damaged journal', () => {
  const two = (damage: 'descriptor' | 'block' | 'commit', time = 1000) => [
    { writes: [{ block: 3, content: block(103) }] },
    { writes: [{ block: 4, content: block(104) }], damage, time },
    { writes: [{ block: 5, content: block(105) }] },
  ];

  it.each([
    ['v2', 'descriptor'],
    ['v3', 'commit'],
    ['v3', 'descriptor'],
    ['whole', 'block'],
    ['whole', 'descriptor'],
  ] as const)('with checksums %s ends before a transaction whose %s is wrong, and says so', async (checksums, damage) => {
    const log = logOf({ checksums, transactions: two(damage) });
    expect(await replayed(log)).toEqual({ 3: 103 });
    expect(await scanJournal(log)).toMatchObject({ problem: 'transaction 8 of the journal is damaged', nextSequence: 8 });
  });

  it('ends without a word where what follows is older: it is left from an earlier use', async () => {
    const log = logOf({ checksums: 'v3', transactions: two('commit', 500) });
    expect(await replayed(log)).toEqual({ 3: 103 });
    expect((await scanJournal(log)).problem).toBeUndefined();
  });

  it.each(['v2', 'v3'] as const)('with checksums %s keeps a block that is wrong from being read, and no other', async (checksums) => {
    const log = logOf({ checksums, transactions: two('block') });
    const volume = replayedVolume(memorySource(new Uint8Array(16 * BLOCK)), log, (await scanJournal(log)).blocks);
    await expect(volume.read(4 * BLOCK, new Uint8Array(1))).rejects.toThrow(FileSystemDamagedError);
    const into = new Uint8Array(1);
    await volume.read(5 * BLOCK, into);
    expect(into[0]).toBe(105);
  });
});

describe('the superblock of a journal', () => {
  const [good] = aJournal({ blockSize: BLOCK, blocks: 32, checksums: 'v3', transactions: [] });
  const changed = (at: number, value: number) => {
    const bytes = good!.slice();
    new DataView(bytes.buffer).setUint32(at, value);
    return parseJournalSuperblock(bytes, BLOCK, 32);
  };

  it('is read when it is right', () =>
    expect(parseJournalSuperblock(good!, BLOCK, 32)).toMatchObject({ start: 1, end: 32, checksums: 'v3' }));

  it('is refused when its checksum or its magic number is wrong, or it makes no sense', () => {
    expect(changed(24, 99)).toBe('the superblock of the journal does not have its checksum');
    expect(changed(0, 1)).toBe('the journal has no superblock');
    expect(changed(40, 0x100)).toBe('the journal has features that this version does not know');
    const [plain] = aJournal({ blockSize: BLOCK, blocks: 32, transactions: [] });
    expect(parseJournalSuperblock(plain!, 4096, 32)).toBe('the superblock of the journal makes no sense');
    expect(parseJournalSuperblock(plain!, BLOCK, 31)).toBe('the superblock of the journal makes no sense');
  });
});
