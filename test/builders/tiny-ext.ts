import { cachedVolume } from '../../src/filesystems/cached-volume.ts';
import { chainCrc32c, crc16, le32 } from '../../src/filesystems/ext/ext-checksum.ts';
import { RO_COMPAT } from '../../src/filesystems/ext/ext-features.ts';
import type { ExtVolume } from '../../src/filesystems/ext/ext-volume.ts';
import { findSuperblock } from '../../src/filesystems/ext/find-superblock.ts';
import { readGroup } from '../../src/filesystems/ext/group-descriptor.ts';
import { INODE_FLAGS, type Inode, MODE, readInode } from '../../src/filesystems/ext/inode.ts';
import { listBlockRuns } from '../../src/filesystems/ext/list-block-runs.ts';
import { unlessDamaged } from '../../src/filesystems/unless-damaged.ts';
import { memorySource } from '../../src/lib/byte-source.ts';
import { aJournal, type JournalPlan } from './ext-journal.ts';
import { fixtureVolume } from './fixture-volume.ts';

export type TinyExtName = 'ext-tiny-ext2' | 'ext-tiny-ext4' | 'ext-tiny-ext4-plain';

/** Blocks of a directory, of extents, of attributes: each ends or begins with a checksum of its own. */
interface CheckedBlock {
  readonly block: number;
  readonly kind: 'directory' | 'index' | 'extents' | 'attributes';
  readonly inode: number;
}

/** A small volume in memory, and where its structures lie. */
export interface TinyExt {
  readonly bytes: Uint8Array;
  readonly blockSize: number;
  readonly inodes: ReadonlyMap<number, Inode>;
  readonly checked: readonly CheckedBlock[];
  /** First byte of an inode. */
  positionOf(inode: number): number;
  /** First byte of a block of a file. */
  placeOf(inode: number, block: number): number;
  /** Makes all checksums right. */
  fix(volume: Uint8Array): void;
}

/** One of the small fixtures. */
export async function tinyExt(name: TinyExtName): Promise<TinyExt> {
  const volume = await fixtureVolume(name);
  const bytes = new Uint8Array(volume.sizeBytes);
  await volume.read(0, bytes);
  const { superblock } = await findSuperblock(memorySource(bytes));
  const ext: ExtVolume = { volume: cachedVolume(memorySource(bytes)), superblock, groups: new Map() };
  const { blockSize, inodeSize } = superblock;
  const { inodeTable } = await readGroup(ext, 0);
  const positionOf = (inode: number) => inodeTable * blockSize + (inode - 1) * inodeSize;
  const inodes = new Map<number, Inode>();
  const places = new Map<number, number[]>();
  const checked: CheckedBlock[] = [];
  for (let number = 1; number <= superblock.raw.inodes; number += 1) {
    const inode = await unlessDamaged(() => readInode(ext, number));
    if (!inode || inode.links === 0) continue; // never used
    inodes.set(number, inode);
    const blocks: number[] = [];
    if (inode.format !== MODE.link && !(inode.flags & INODE_FLAGS.inlineData) && inode.format >= MODE.dir) {
      for await (const run of listBlockRuns(ext, inode, 0, 100_000)) {
        for (let index = 0; index < run.count; index += 1) blocks[run.first + index] = run.block + index;
      }
    }
    places.set(number, blocks);
    if (inode.format === MODE.dir) {
      for (const [index, block] of blocks.entries()) {
        checked.push({ block, kind: index === 0 && inode.flags & INODE_FLAGS.indexed ? 'index' : 'directory', inode: number });
      }
    }
    if (inode.attributeBlock !== 0) checked.push({ block: inode.attributeBlock, kind: 'attributes', inode: number });
    if (inode.flags & INODE_FLAGS.extents && inode.block[6] === 1) {
      checked.push({ block: new DataView(inode.block.buffer).getUint32(16, true), kind: 'extents', inode: number });
    }
  }
  return {
    bytes,
    blockSize,
    inodes,
    checked,
    positionOf,
    placeOf: (inode, block) => places.get(inode)![block]! * blockSize,
    fix: (target) => fixChecksums(target, { blockSize, inodeSize, inodes: superblock.raw.inodes, positionOf, checked }),
  };
}

/** The inode with this name in the root. */
export async function tinyInode(tiny: TinyExt, path: string): Promise<number> {
  const { extDriver } = await import('../../src/filesystems/ext/ext-driver.ts');
  const system = await extDriver.open(memorySource(tiny.bytes));
  let node = await system.root();
  for (const name of path.split('/').slice(1)) node = (await system.find(node, name))!;
  return Number(node.id);
}

/** The volume with a journal that needs recovery: the file `/journal` becomes it. */
export async function withJournal(tiny: TinyExt, plan: Omit<JournalPlan, 'blockSize' | 'blocks'>): Promise<Uint8Array> {
  const volume = tiny.bytes.slice();
  const view = new DataView(volume.buffer);
  const inode = await tinyInode(tiny, '/journal');
  for (const [index, block] of aJournal({ ...plan, blockSize: tiny.blockSize, blocks: 40 }).entries()) {
    volume.set(block, tiny.placeOf(inode, index));
  }
  view.setUint32(1024 + 92, view.getUint32(1024 + 92, true) | 4, true);
  view.setUint32(1024 + 96, view.getUint32(1024 + 96, true) | 4, true);
  view.setUint32(1024 + 224, inode, true);
  tiny.fix(volume);
  return volume;
}

interface Layout extends Pick<TinyExt, 'blockSize' | 'positionOf' | 'checked'> {
  readonly inodeSize: number;
  readonly inodes: number;
}

function fixChecksums(volume: Uint8Array, layout: Layout): void {
  const view = new DataView(volume.buffer, volume.byteOffset, volume.length);
  const uuid = volume.subarray(1024 + 104, 1024 + 120);
  const features = view.getUint32(1024 + 100, true);
  const group = volume.subarray(2 * layout.blockSize);
  const groupView = new DataView(volume.buffer, volume.byteOffset + 2 * layout.blockSize);
  if (!(features & RO_COMPAT.metadataChecksum)) {
    if (features & RO_COMPAT.groupChecksum)
      groupView.setUint16(30, crc16(crc16(crc16(0xffff, uuid), le32(0)), group.subarray(0, 30)), true);
    return;
  }
  const seed = chainCrc32c(~0, uuid);
  const put32 = (at: number, value: number) => view.setUint32(at, value, true);
  put32(1024 + 1020, chainCrc32c(~0, volume.subarray(1024, 1024 + 1020)));
  groupView.setUint16(30, 0, true);
  groupView.setUint16(30, chainCrc32c(chainCrc32c(seed, le32(0)), group.subarray(0, 64)) & 0xffff, true);
  const inodeSeeds: number[] = [];
  for (let inode = 1; inode <= layout.inodes; inode += 1) {
    const at = layout.positionOf(inode);
    inodeSeeds[inode] = chainCrc32c(chainCrc32c(seed, le32(inode)), volume.subarray(at + 100, at + 104));
    view.setUint16(at + 124, 0, true);
    view.setUint16(at + 130, 0, true);
    const checksum = chainCrc32c(inodeSeeds[inode]!, volume.subarray(at, at + layout.inodeSize));
    view.setUint16(at + 124, checksum & 0xffff, true);
    view.setUint16(at + 130, checksum >>> 16, true);
  }
  for (const { block, kind, inode } of layout.checked) {
    const bytes = volume.subarray(block * layout.blockSize, (block + 1) * layout.blockSize);
    const at = block * layout.blockSize;
    if (kind === 'directory') put32(at + bytes.length - 4, chainCrc32c(inodeSeeds[inode]!, bytes.subarray(0, -12)));
    if (kind === 'extents') {
      const tail = Math.min(12 + 12 * view.getUint16(at + 4, true), bytes.length - 4);
      put32(at + tail, chainCrc32c(inodeSeeds[inode]!, bytes.subarray(0, tail)));
    }
    if (kind === 'attributes') {
      put32(at + 16, 0);
      const number = new Uint8Array(8);
      new DataView(number.buffer).setUint32(0, block, true);
      put32(at + 16, chainCrc32c(chainCrc32c(seed, number), bytes));
    }
  }
}
