import { chainCrc32c, crc32be } from '../ext-checksum.ts';
import { damaged } from '../ext-volume.ts';
import type { JournalLog } from './journal-log.ts';
import { BLOCK_TYPE, JOURNAL_MAGIC } from './journal-superblock.ts';
import { type JournalTag, parseRevoked, parseTags } from './journal-tags.ts';

/** A block of the volume whose newest committed content lies in the journal. */
export interface ReplayedBlock extends JournalTag {
  /** Where, in blocks of the journal. */
  readonly at: number;
  readonly sequence: number;
}

export interface JournalScan {
  /** By number of the block on the volume. */
  readonly blocks: ReadonlyMap<number, ReplayedBlock>;
  /** Number that the transaction after the last committed one would have. */
  readonly nextSequence: number;
  /** Why the replay ends earlier than its writer meant it to, in words: the log is damaged, not merely unfinished. */
  readonly problem?: string;
}

interface Transaction {
  readonly blocks: ReplayedBlock[];
  readonly revoked: number[];
  /** Of its descriptors and blocks so far; only where the commit block has one for all. */
  checksum: number;
  /** A block of it does not have its checksum: it is damaged, or left over from an earlier use of the log. */
  isDoubtful: boolean;
}

/** Revocations that are held: 4 GiB of metadata in blocks of 4 KiB. A hostile log may hold nothing else. */
const MOST_REVOKED = 1_000_000;

const newTransaction = (): Transaction => ({ blocks: [], revoked: [], checksum: ~0 >>> 0, isDoubtful: false });

/**
 * What a replay would write, without writing it: the passes of Linux' jbd2 (fs/jbd2/recovery.c, do_one_pass()) in one. A transaction
 * counts when its commit block is there and right; the log ends with the first that does not. Reads descriptors, revocations and
 * commits; the blocks themselves only where checksums cover whole transactions.
 */
export async function scanJournal(log: JournalLog): Promise<JournalScan> {
  const { superblock } = log;
  const blocks = new Map<number, ReplayedBlock>();
  const revoked = new Map<number, number>();
  const cursor = { at: superblock.start, left: superblock.end - superblock.first };
  let sequence = superblock.sequence;
  let lastCommitTime = 0n;
  let current = newTransaction();
  let problem: string | undefined;
  while (cursor.left > 0) {
    const bytes = await log.read(take(log, cursor));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (view.getUint32(0) !== JOURNAL_MAGIC || view.getUint32(8) !== sequence) break;
    const type = view.getUint32(4);
    if (type === BLOCK_TYPE.descriptor) await addDescriptor(log, current, bytes, sequence, cursor);
    else if (type === BLOCK_TYPE.revoke) addRevocation(log, current, bytes);
    else if (type === BLOCK_TYPE.commit) {
      const time = view.getBigUint64(48);
      if (current.isDoubtful || !isCommitIntact(log, current, bytes)) {
        // A commit from before the last one is a leftover; then this is simply where the log ends.
        if (time >= lastCommitTime && !superblock.hasAsyncCommit) problem = `transaction ${sequence} of the journal is damaged`;
        break;
      }
      for (const block of current.revoked) revoked.set(block, sequence);
      if (revoked.size > MOST_REVOKED) throw tooManyRevoked(log);
      for (const block of current.blocks) blocks.set(block.block, block);
      lastCommitTime = time;
      sequence = (sequence + 1) >>> 0;
      current = newTransaction();
    } else break;
  }
  for (const [number, block] of blocks) if (isRevoked(block, revoked.get(number))) blocks.delete(number);
  return { blocks, nextSequence: sequence, ...(problem !== undefined && { problem }) };
}

interface Cursor {
  at: number;
  /** Blocks that the log can have yet. */
  left: number;
}

/** The number of the next block; behind the last one the log goes on at its first. */
function take({ superblock: { first, end } }: JournalLog, cursor: Cursor): number {
  const number = cursor.at;
  cursor.at = number + 1 >= end ? first : number + 1;
  cursor.left -= 1;
  return number;
}

async function addDescriptor(log: JournalLog, current: Transaction, bytes: Uint8Array, sequence: number, cursor: Cursor): Promise<void> {
  const { superblock } = log;
  if (!isTailIntact(log, bytes)) current.isDoubtful = true;
  if (superblock.checksums === 'whole') current.checksum = crc32be(current.checksum, bytes);
  for (const tag of parseTags(bytes, superblock)) {
    if (cursor.left <= 0) break;
    const at = take(log, cursor);
    current.blocks.push({ ...tag, at, sequence });
    if (superblock.checksums === 'whole') current.checksum = crc32be(current.checksum, await log.read(at));
  }
}

function addRevocation(log: JournalLog, current: Transaction, bytes: Uint8Array): void {
  if (!isTailIntact(log, bytes)) current.isDoubtful = true;
  for (const block of parseRevoked(bytes, log.superblock)) current.revoked.push(block);
  if (current.revoked.length > MOST_REVOKED) throw tooManyRevoked(log);
}

const tooManyRevoked = ({ ext }: JournalLog) => damaged(ext, `the journal revokes more than ${MOST_REVOKED} blocks`);

const hasBlockChecksums = ({ superblock: { checksums } }: JournalLog) => checksums === 'v2' || checksums === 'v3';

/** Descriptors and revocations end with their checksum, which counts as zero. */
function isTailIntact(log: JournalLog, bytes: Uint8Array): boolean {
  return !hasBlockChecksums(log) || hasChecksumAt(log, bytes, bytes.length - 4);
}

const COMMIT = { checksumType: 12, checksumSize: 13, checksum: 16 } as const;
const TYPE_CRC32 = 1;

function isCommitIntact(log: JournalLog, current: Transaction, bytes: Uint8Array): boolean {
  if (hasBlockChecksums(log)) return hasChecksumAt(log, bytes, COMMIT.checksum);
  if (log.superblock.checksums === 'none') return true;
  const stored = new DataView(bytes.buffer, bytes.byteOffset).getUint32(COMMIT.checksum);
  const [type, size] = [bytes[COMMIT.checksumType], bytes[COMMIT.checksumSize]];
  return (type === TYPE_CRC32 && size === 4 && stored === current.checksum) || (type === 0 && size === 0 && stored === 0);
}

function hasChecksumAt({ superblock }: JournalLog, bytes: Uint8Array, at: number): boolean {
  const blank = bytes.slice();
  blank.fill(0, at, at + 4);
  return chainCrc32c(superblock.checksumSeed, blank) === new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
}

/** Sequence numbers go around at 2^32. */
function isRevoked({ sequence }: ReplayedBlock, revokedAt: number | undefined): boolean {
  return revokedAt !== undefined && ((sequence - revokedAt) | 0) <= 0;
}
