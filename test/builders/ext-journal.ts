import { chainCrc32c, crc32be } from '../../src/filesystems/ext/ext-checksum.ts';

/** A journal of jbd2 to make, written from the kernel's description of it. */
export interface JournalPlan {
  readonly blockSize: number;
  /** Of the journal, its superblock included. */
  readonly blocks: number;
  readonly checksums?: 'none' | 'whole' | 'v2' | 'v3';
  readonly wide?: boolean;
  /** Block at which the log begins: later ones let it go around. */
  readonly start?: number;
  readonly sequence?: number;
  readonly fastCommit?: 'none' | 'unused' | 'pending';
  readonly errorNumber?: number;
  readonly transactions: readonly TransactionPlan[];
}

export interface TransactionPlan {
  readonly writes?: readonly { readonly block: number; readonly content: Uint8Array }[];
  readonly revokes?: readonly number[];
  /** Not: it was never finished. */
  readonly isCommitted?: boolean;
  /** When it was committed, in seconds. */
  readonly time?: number;
  /** What of it is damaged. */
  readonly damage?: 'descriptor' | 'block' | 'commit';
}

const MAGIC = 0xc03b3998;
const UUID = Uint8Array.from({ length: 16 }, (_, index) => index + 1);
const SEED = chainCrc32c(~0, UUID);
const FAST_COMMIT_BLOCKS = 4;

/** The blocks of a journal. */
export function aJournal(plan: JournalPlan): Uint8Array[] {
  const { blockSize, blocks: count, checksums = 'none', wide = false, fastCommit = 'none' } = plan;
  const blocks = Array.from({ length: count }, () => new Uint8Array(blockSize));
  const end = count - (fastCommit === 'none' ? 0 : FAST_COMMIT_BLOCKS);
  let at = plan.start ?? 1;
  let sequence = plan.sequence ?? 7;
  const put = (block: Uint8Array): Uint8Array => {
    blocks[at]!.set(block);
    at = at + 1 >= end ? 1 : at + 1;
    return block;
  };
  blocks[0]!.set(superblock(plan, sequence));
  for (const transaction of plan.transactions) {
    putTransaction(put, { blockSize, checksums, wide, sequence }, transaction);
    if (transaction.isCommitted !== false) sequence += 1;
  }
  if (fastCommit === 'pending') {
    const view = new DataView(blocks[end + 1]!.buffer);
    view.setUint16(0, 9, true);
    view.setUint16(2, 8, true);
    view.setUint32(8, sequence, true);
  }
  return blocks;
}

function superblock(plan: JournalPlan, sequence: number): Uint8Array {
  const { blockSize, blocks, checksums = 'none', wide, start = 1, fastCommit = 'none', errorNumber = 0 } = plan;
  const bytes = new Uint8Array(blockSize);
  const view = headed(bytes, 4, 0);
  for (const [offset, value] of [
    [12, blockSize],
    [16, blocks],
    [20, 1],
    [24, sequence],
    [28, start],
    [32, errorNumber],
    [36, checksums === 'whole' ? 1 : 0],
    [40, 1 | (wide ? 2 : 0) | { none: 0, whole: 0, v2: 8, v3: 16 }[checksums] | (fastCommit === 'none' ? 0 : 32)],
    [84, FAST_COMMIT_BLOCKS],
  ] as const) {
    view.setUint32(offset, value);
  }
  bytes.set(UUID, 48);
  if (checksums === 'v2' || checksums === 'v3') {
    bytes[80] = 4;
    view.setUint32(252, chainCrc32c(~0, bytes.subarray(0, 1024)));
  }
  return bytes;
}

interface Style {
  readonly blockSize: number;
  readonly checksums: 'none' | 'whole' | 'v2' | 'v3';
  readonly wide: boolean;
  readonly sequence: number;
}

function putTransaction(put: (block: Uint8Array) => Uint8Array, style: Style, transaction: TransactionPlan): void {
  const { writes = [], revokes = [], isCommitted = true, damage } = transaction;
  let whole = ~0 >>> 0;
  if (revokes.length > 0) put(revocation(style, revokes));
  if (writes.length > 0) {
    const logged = writes.map(({ content }) => escaped(content));
    const head = descriptor(style, writes, logged);
    for (const block of [head, ...logged]) whole = crc32be(whole, block);
    if (damage === 'descriptor') head[20]! ^= 1;
    if (damage === 'block') logged[0] = logged[0]!.map((byte) => byte ^ 1);
    for (const block of [head, ...logged]) put(block);
  }
  if (isCommitted) put(commit(style, transaction, whole));
}

function headed(bytes: Uint8Array, type: number, sequence: number): DataView {
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint32(4, type);
  view.setUint32(8, sequence);
  return view;
}

const isMagic = (content: Uint8Array) => new DataView(content.buffer, content.byteOffset).getUint32(0) === MAGIC;

function escaped(content: Uint8Array): Uint8Array {
  const copy = content.slice();
  if (isMagic(content)) copy.fill(0, 0, 4);
  return copy;
}

function descriptor(style: Style, writes: NonNullable<TransactionPlan['writes']>, logged: readonly Uint8Array[]): Uint8Array {
  const { blockSize, checksums, wide, sequence } = style;
  const bytes = new Uint8Array(blockSize);
  const view = headed(bytes, 1, sequence);
  const size = checksums === 'v3' ? 16 : (wide ? 12 : 8) + (checksums === 'v2' ? 2 : 0);
  let at = 12;
  for (const [index, { block, content }] of writes.entries()) {
    const flags = (isMagic(content) ? 1 : 0) | (index > 0 ? 2 : 0) | (index === writes.length - 1 ? 8 : 0);
    const number = new Uint8Array(4);
    new DataView(number.buffer).setUint32(0, sequence);
    const checksum = chainCrc32c(chainCrc32c(SEED, number), logged[index]!);
    view.setUint32(at, block % 2 ** 32);
    if (checksums === 'v3') {
      view.setUint32(at + 4, flags);
      view.setUint32(at + 12, checksum);
    } else {
      view.setUint16(at + 6, flags);
      if (checksums === 'v2') view.setUint16(at + 4, checksum & 0xffff);
    }
    if (wide) view.setUint32(at + 8, Math.floor(block / 2 ** 32));
    at += size + (index > 0 ? 0 : 16);
  }
  return sealed(style, bytes, blockSize - 4);
}

function revocation(style: Style, revokes: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(style.blockSize);
  const view = headed(bytes, 5, style.sequence);
  const size = style.wide ? 8 : 4;
  view.setUint32(12, 16 + revokes.length * size);
  for (const [index, block] of revokes.entries()) view.setUint32(16 + index * size + (style.wide ? 4 : 0), block);
  return sealed(style, bytes, style.blockSize - 4);
}

function commit(style: Style, { time = 1000, damage }: TransactionPlan, whole: number): Uint8Array {
  const bytes = new Uint8Array(style.blockSize);
  const view = headed(bytes, 2, style.sequence);
  view.setBigUint64(48, BigInt(time));
  if (style.checksums === 'whole') {
    bytes[12] = 1;
    bytes[13] = 4;
    view.setUint32(16, whole);
  }
  sealed(style, bytes, 16);
  if (damage === 'commit') bytes[19]! ^= 1;
  return bytes;
}

function sealed({ checksums }: Style, bytes: Uint8Array, at: number): Uint8Array {
  if (checksums === 'v2' || checksums === 'v3') new DataView(bytes.buffer).setUint32(at, chainCrc32c(SEED, bytes));
  return bytes;
}
