import { undoFixups } from './fixups.ts';
import { damaged, fits, sizeAt } from './ntfs-damage.ts';

const HAS_CHILD = 1;
const IS_LAST = 2;
const ENTRY_HEADER_BYTES = 16;
const NODE_HEADER_BYTES = 16;
/** Where the node begins in its block ("INDX") and in the root attribute. */
const NODE_IN_BLOCK = 24;
const NODE_IN_ROOT = 16;

/** One entry of an index: a key with what it stands for, and the node that holds the keys before it. The last one of a node has no key. */
export interface IndexEntry {
  readonly bytes: Uint8Array;
  readonly key: Uint8Array | undefined;
  /** Number of the block, in the units of the index. */
  readonly child: number | undefined;
}

/** The entries of the root of an index (libfsntfs, 6.14 The index root attribute). `value` is the attribute's. */
export function parseIndexRoot(value: Uint8Array, what: string): { readonly blockSize: number; readonly entries: IndexEntry[] } {
  if (value.length < NODE_IN_ROOT + NODE_HEADER_BYTES) throw damaged(`the root of ${what} is cut off`);
  const blockSize = new DataView(value.buffer, value.byteOffset, value.length).getUint32(8, true);
  return { blockSize, entries: parseNode(value.subarray(NODE_IN_ROOT), what) };
}

/** The entries of a block of an index (libfsntfs, 6.15 Index record); undoes its fix-ups in place. */
export function parseIndexBlock(block: Uint8Array, number: number, what: string): IndexEntry[] {
  undoFixups(block, 'INDX', `a block of ${what}`);
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  if (sizeAt(view, 16, `a block of ${what}`) !== number) throw damaged(`a block of ${what} is out of place`);
  return parseNode(block.subarray(NODE_IN_BLOCK), what);
}

function parseNode(node: Uint8Array, what: string): IndexEntry[] {
  const view = new DataView(node.buffer, node.byteOffset, node.length);
  const end = view.getUint32(4, true);
  let at = view.getUint32(0, true);
  if (at < NODE_HEADER_BYTES || end > node.length) throw damaged(`a node of ${what} leaves its block`);
  const entries: IndexEntry[] = [];
  while (fits(at, ENTRY_HEADER_BYTES, end)) {
    const length = view.getUint16(at + 8, true);
    const keyLength = view.getUint16(at + 10, true);
    const flags = view.getUint16(at + 12, true);
    const childBytes = (flags & HAS_CHILD) !== 0 ? 8 : 0;
    const isLast = (flags & IS_LAST) !== 0;
    if (!fits(at, length, end) || length < ENTRY_HEADER_BYTES + (isLast ? 0 : keyLength) + childBytes) {
      throw damaged(`an entry of ${what} leaves its node`);
    }
    const bytes = node.subarray(at, at + length);
    entries.push({
      bytes,
      key: isLast ? undefined : bytes.subarray(ENTRY_HEADER_BYTES, ENTRY_HEADER_BYTES + keyLength),
      child: childBytes > 0 ? sizeAt(view, at + length - 8, `a block number of ${what}`) : undefined,
    });
    if (isLast) return entries;
    at += length;
  }
  throw damaged(`a node of ${what} has no end`);
}
