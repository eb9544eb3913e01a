import { damaged, type ExtVolume } from './ext-volume.ts';
import { inlineRest } from './extended-attributes.ts';
import type { Inode } from './inode.ts';

/** The first bytes of inline data stand where the block map would. */
export const INLINE_HEAD = 60;

/** The content of a file or link that lies in its inode (Linux, Documentation/filesystems/ext4/inlinedata.rst). */
export function readInlineData(ext: ExtVolume, inode: Inode): Uint8Array {
  const { size, block, number } = inode;
  if (size <= BigInt(INLINE_HEAD)) return block.subarray(0, Number(size));
  const rest = inlineRest(ext, inode);
  if (size > BigInt(INLINE_HEAD + rest.length))
    throw damaged(ext, `inode ${number} has only ${INLINE_HEAD + rest.length} of ${size} bytes inline`);
  return Buffer.concat([block, rest]).subarray(0, Number(size));
}
