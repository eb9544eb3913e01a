import { struct, u16be, u32be } from '../../lib/struct.ts';
import { damaged } from './xfs-damage.ts';
import type { XfsVolume } from './xfs-volume.ts';

/** Blocks of directory indexes and of attributes begin alike (XFS Algorithms & Data Structures, Directory Attribute Block Header). */
const INFO = struct(12, { next: u32be(0), magic: u16be(8) });
const INFO_5_FIELDS = { checksumAt: 12, blockAt: 16 };
const NODE = struct(4, { count: u16be(0), level: u16be(2) });
const INFO_5_SIZE = 56;

const NODE_MAGICS = { 4: 0xfebe, 5: 0x3ebe };
export const INDEX_LEAF_MAGICS: Record<4 | 5, readonly number[]> = { 4: [0xd2f1, 0xd2ff], 5: [0x3df1, 0x3dff] };
export const ATTRIBUTE_LEAF_MAGICS: Record<4 | 5, readonly number[]> = { 4: [0xfbee], 5: [0x3bee] };

/** A block of such a tree; `at`: where what is its own begins, behind the common head. */
export interface DaBlock {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly magic: number;
  /** The leaf that follows this one in order; 0 for none. */
  readonly next: number;
}

/** Judges a block that was read from `position`. */
export function daBlock(volume: XfsVolume, bytes: Uint8Array, position: number, what: string): DaBlock {
  const { magic, next } = INFO.read(bytes);
  volume.check(bytes, INFO_5_FIELDS, position, what);
  return { bytes, at: volume.superblock.version === 5 ? INFO_5_SIZE : INFO.size, magic, next };
}

/** The children of a node, with the highest hash in each; `undefined` for what is no node. */
export function daNode(
  volume: XfsVolume,
  { bytes, at, magic }: DaBlock,
  what: string,
): { readonly level: number; readonly children: readonly { readonly hash: number; readonly block: number }[] } | undefined {
  const { version } = volume.superblock;
  if (magic !== NODE_MAGICS[version]) return undefined;
  const { count, level } = NODE.read(bytes, at);
  const from = version === 5 ? at + 8 : at + 4;
  if (count === 0 || from + count * 8 > bytes.length) throw damaged(`${what} claims ${count} children`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const children = Array.from({ length: count }, (_, index) => ({
    hash: view.getUint32(from + index * 8),
    block: view.getUint32(from + index * 8 + 4),
  }));
  return { level, children };
}
