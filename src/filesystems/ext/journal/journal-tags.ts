import type { JournalSuperblock } from './journal-superblock.ts';

/** Linux, Documentation/filesystems/ext4/journal.rst, Descriptor Block and Revocation Block. */
const HEADER_SIZE = 12;
const TAIL_SIZE = 4;
const UUID_SIZE = 16;
const FLAGS = { escaped: 1, sameUuid: 2, last: 8 } as const;

/** A block of the volume that follows its descriptor in the log. */
export interface JournalTag {
  readonly block: number;
  /** It began with the journal's magic number, for which zeros stand in the log. */
  readonly isEscaped: boolean;
  /** Of the block as the log has it, as many bits as are kept; 0 where there is none. */
  readonly checksum: number;
}

/** The tags of a descriptor block, in the order of the blocks that follow. */
export function parseTags(descriptor: Uint8Array, { checksums, hasWideNumbers }: JournalSuperblock): JournalTag[] {
  const view = new DataView(descriptor.buffer, descriptor.byteOffset, descriptor.length);
  const isV3 = checksums === 'v3';
  const size = isV3 ? 16 : (hasWideNumbers ? 12 : 8) + (checksums === 'v2' ? 2 : 0);
  const end = descriptor.length - (isV3 || checksums === 'v2' ? TAIL_SIZE : 0);
  const tags: JournalTag[] = [];
  for (let at = HEADER_SIZE; at + size <= end; ) {
    const flags = isV3 ? view.getUint32(at + 4) : view.getUint16(at + 6);
    const high = hasWideNumbers ? view.getUint32(at + 8) : 0;
    tags.push({
      block: high * 2 ** 32 + view.getUint32(at),
      isEscaped: (flags & FLAGS.escaped) !== 0,
      checksum: isV3 ? view.getUint32(at + 12) : view.getUint16(at + 4),
    });
    if (flags & FLAGS.last) break;
    at += size + (flags & FLAGS.sameUuid ? 0 : UUID_SIZE);
  }
  return tags;
}

/** Blocks whose earlier copies in the log must not be replayed. */
export function parseRevoked(revocation: Uint8Array, { hasWideNumbers }: JournalSuperblock): number[] {
  const view = new DataView(revocation.buffer, revocation.byteOffset, revocation.length);
  const size = hasWideNumbers ? 8 : 4;
  const end = Math.min(view.getUint32(HEADER_SIZE), revocation.length);
  const blocks: number[] = [];
  for (let at = HEADER_SIZE + 4; at + size <= end; at += size) {
    blocks.push(hasWideNumbers ? view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4) : view.getUint32(at));
  }
  return blocks;
}
