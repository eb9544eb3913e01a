import { bytes, struct, u16le, u32le } from '../lib/struct.ts';
import { labelText, readInside, withLabel } from './probe.ts';
import type { FileSystemSignature, Volume } from './volume.ts';

/** The start of the superblock at 1024 (Linux, Documentation/filesystems/ext4/super.rst). */
const SUPERBLOCK = struct(136, { magic: u16le(56), compat: u32le(92), incompat: u32le(96), roCompat: u32le(100), label: bytes(120, 16) });

const HAS_JOURNAL = 0x4;
const JOURNAL_DEVICE = 0x8;
/** sparse_super, large_file, btree_dir: what ext2 and ext3 know. */
const OLD_RO_COMPAT = 0x1 | 0x2 | 0x4;
/** filetype, meta_bg; ext3 knows a journal to recover (4) too. */
const EXT2_INCOMPAT = 0x2 | 0x10;
const EXT3_INCOMPAT = EXT2_INCOMPAT | 0x4;

/** ext2, ext3, ext4, told apart by their features; `jbd` is a journal on a device of its own. */
export async function detectExt(volume: Volume): Promise<FileSystemSignature | undefined> {
  const block = await readInside(volume, 1024, SUPERBLOCK.size);
  if (!block) return undefined;
  const { magic, compat, incompat, roCompat, label } = SUPERBLOCK.read(block);
  if (magic !== 0xef53) return undefined;
  return withLabel(extVariant(compat, incompat, roCompat), labelText(label));
}

/** How `blkid` tells them apart. */
export function extVariant(compat: number, incompat: number, roCompat: number): string {
  if (incompat & JOURNAL_DEVICE) return 'jbd';
  if (roCompat & ~OLD_RO_COMPAT || incompat & ~EXT3_INCOMPAT) return 'ext4';
  return compat & HAS_JOURNAL ? 'ext3' : 'ext2';
}
