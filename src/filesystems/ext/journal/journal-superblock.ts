import { bytes, struct, type Unpacked, u8, u32be } from '../../../lib/struct.ts';
import { chainCrc32c } from '../ext-checksum.ts';

/** jbd2: Linux, Documentation/filesystems/ext4/journal.rst. Everything in it is big-endian. */
export const JOURNAL_MAGIC = 0xc03b3998;
export const BLOCK_TYPE = { descriptor: 1, commit: 2, superblockV1: 3, superblockV2: 4, revoke: 5 } as const;
const COMPAT_CHECKSUM = 1;
const INCOMPAT = { revoke: 1, bits64: 2, asyncCommit: 4, checksumV2: 8, checksumV3: 16, fastCommit: 32 } as const;
const INCOMPAT_KNOWN = 63;
/** Blocks kept for fast commits where the superblock does not say. */
const FAST_COMMIT_BLOCKS = 256;
const CRC32C = 4;

const SUPERBLOCK = struct(1024, {
  magic: u32be(0),
  type: u32be(4),
  blockSize: u32be(12),
  blocks: u32be(16),
  first: u32be(20),
  sequence: u32be(24),
  start: u32be(28),
  errorNumber: u32be(32),
  compat: u32be(36),
  incompat: u32be(40),
  uuid: bytes(48, 16),
  checksumType: u8(80),
  fastCommitBlocks: u32be(84),
  checksum: u32be(252),
});

/** What the journal says of itself. Blocks are counted within the journal. */
export interface JournalSuperblock {
  /** Where the oldest transaction begins; 0 when there is none. */
  readonly start: number;
  readonly sequence: number;
  readonly first: number;
  /** Where the log goes on at `first`. */
  readonly end: number;
  readonly hasErrors: boolean;
  readonly hasWideNumbers: boolean;
  readonly hasAsyncCommit: boolean;
  readonly hasFastCommit: boolean;
  /** `whole`: one of each transaction, in its commit block; `v2`, `v3`: one of each block. */
  readonly checksums: 'none' | 'whole' | 'v2' | 'v3';
  readonly checksumSeed: number;
}

/** The superblock in 1024 bytes, or why the journal cannot be replayed, in words. */
export function parseJournalSuperblock(block: Uint8Array, blockSize: number, mappedBlocks: number): JournalSuperblock | string {
  const raw = SUPERBLOCK.read(block);
  if (raw.magic !== JOURNAL_MAGIC || (raw.type !== BLOCK_TYPE.superblockV1 && raw.type !== BLOCK_TYPE.superblockV2)) {
    return 'the journal has no superblock';
  }
  const isV1 = raw.type === BLOCK_TYPE.superblockV1;
  const [compat, incompat] = isV1 ? [0, 0] : [raw.compat, raw.incompat];
  if (incompat & ~INCOMPAT_KNOWN) return 'the journal has features that this version does not know';
  const hasBlockChecksums = (incompat & (INCOMPAT.checksumV2 | INCOMPAT.checksumV3)) !== 0;
  if (hasBlockChecksums && !hasItsChecksum(raw, block)) return 'the superblock of the journal does not have its checksum';
  const fastCommitBlocks = incompat & INCOMPAT.fastCommit ? raw.fastCommitBlocks || FAST_COMMIT_BLOCKS : 0;
  const end = raw.blocks - fastCommitBlocks;
  const fits = raw.blockSize === blockSize && raw.blocks <= mappedBlocks && raw.first >= 1 && raw.first < end;
  if (!fits || (raw.start !== 0 && (raw.start < raw.first || raw.start >= end))) return 'the superblock of the journal makes no sense';
  return {
    start: raw.start,
    sequence: raw.sequence,
    first: raw.first,
    end,
    hasErrors: raw.errorNumber !== 0,
    hasWideNumbers: (incompat & INCOMPAT.bits64) !== 0,
    hasAsyncCommit: (incompat & INCOMPAT.asyncCommit) !== 0,
    hasFastCommit: fastCommitBlocks > 1,
    checksums: incompat & INCOMPAT.checksumV3 ? 'v3' : incompat & INCOMPAT.checksumV2 ? 'v2' : compat & COMPAT_CHECKSUM ? 'whole' : 'none',
    checksumSeed: chainCrc32c(~0, raw.uuid),
  };
}

function hasItsChecksum(raw: Unpacked<typeof SUPERBLOCK>, block: Uint8Array): boolean {
  const blank = block.slice(0, SUPERBLOCK.size);
  SUPERBLOCK.write(blank, { checksum: 0 });
  return raw.checksumType === CRC32C && chainCrc32c(~0, blank) === raw.checksum;
}
