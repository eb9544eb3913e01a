import { describe, expect, it } from '@jest/globals';
import { ATTRIBUTE } from '../../../src/filesystems/ntfs/attributes.ts';
import type { IndexEntry } from '../../../src/filesystems/ntfs/index-node.ts';
import { IndexTree } from '../../../src/filesystems/ntfs/index-tree.ts';
import type { NtfsFile } from '../../../src/filesystems/ntfs/ntfs-file.ts';
import type { RecordReader } from '../../../src/filesystems/ntfs/record-reader.ts';

const BLOCK = 512;

/** A node whose keys are letters, each with the block below it. */
function aNode(room: number, entries: readonly { key?: string; child?: number }[]): Buffer {
  const node = Buffer.alloc(room);
  let at = 32;
  for (const { key, child } of entries) {
    node.writeUInt16LE(32, at + 8);
    node.writeUInt16LE(key === undefined ? 0 : 1, at + 10);
    node.writeUInt16LE((child === undefined ? 0 : 1) | (key === undefined ? 2 : 0), at + 12);
    if (key !== undefined) node.write(key, at + 16);
    if (child !== undefined) node.writeUInt32LE(child, at + 24);
    at += 32;
  }
  node.writeUInt32LE(32, 0);
  node.writeUInt32LE(at, 4);
  return node;
}

function aBlock(number: number, entries: Parameters<typeof aNode>[1]): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write('INDX');
  block.writeUInt16LE(40, 4);
  block.writeUInt16LE(2, 6);
  block.writeUInt32LE(number, 16);
  aNode(BLOCK - 24, entries).copy(block, 24);
  block.writeUInt16LE(7, 40);
  block.copy(block, 42, 510, 512);
  block.writeUInt16LE(7, 510);
  return block;
}

async function aTree(root: Parameters<typeof aNode>[1], blocks: readonly Buffer[]): Promise<IndexTree> {
  const value = Buffer.alloc(16 + 512);
  value.writeUInt32LE(BLOCK, 8);
  aNode(512, root).copy(value, 16);
  const attribute = (type: number, bytes: Uint8Array) => ({ type, name: '$I30', encrypted: false, value: bytes });
  const attributes = [attribute(ATTRIBUTE.indexRoot, value), attribute(ATTRIBUTE.indexAllocation, Buffer.concat(blocks))];
  const file = { record: { number: 30 }, attributes } as unknown as NtfsFile;
  return await IndexTree.open({ geometry: { clusterSize: BLOCK } } as unknown as RecordReader, file, '$I30');
}

const letter = ({ key }: IndexEntry) => String.fromCharCode(key![0]!);

describe('a search in an index', () => {
  it('reads a block when it is its turn: a node whose keys are all alike may name thousands', async () => {
    const damaged = Buffer.alloc(BLOCK);
    const tree = await aTree(
      [{ key: 'x', child: 0 }, { key: 'x', child: 1 }, { child: 2 }],
      [damaged, damaged, aBlock(2, [{ key: 'y' }, {}])],
    );
    const anywhere = () => ({ before: true, after: true });
    const found = await tree.search(anywhere, (entry) => letter(entry) === 'y');
    expect(found && letter(found)).toBe('y');
    await expect(tree.search(anywhere, () => false)).rejects.toMatchObject({ code: 'MABS-FS-DAMAGED' });
  });
});
