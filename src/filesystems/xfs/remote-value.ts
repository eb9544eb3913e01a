import { ascii, struct, u32be } from '../../lib/struct.ts';
import type { MappedBytes } from './mapped-bytes.ts';
import { damaged } from './xfs-damage.ts';
import type { XfsVolume } from './xfs-volume.ts';

/** XFS Algorithms & Data Structures, Remote Attribute Values: what each block of one begins with in version 5. */
const HEAD = struct(56, { magic: ascii(0, 4), offset: u32be(4), length: u32be(8) });
const HEAD_FIELDS = { checksumAt: 12, blockAt: 40 };

/** The value of an attribute that lies in blocks of its own; `length` is at most 64 KiB. */
export async function readRemoteValue(
  volume: XfsVolume,
  blocks: MappedBytes,
  firstBlock: number,
  length: number,
  what: string,
): Promise<Uint8Array> {
  const value = new Uint8Array(length);
  const isVersion5 = volume.superblock.version === 5;
  for (let done = 0, block = firstBlock; done < length; block++) {
    const { bytes, position } = await blocks.blocks(block, 1);
    if (isVersion5) {
      const head = HEAD.read(bytes);
      if (head.magic !== 'XARM' || head.offset !== done) throw damaged(`${what}: a value lies somewhere else`);
      volume.check(bytes, HEAD_FIELDS, position, what);
    }
    const content = isVersion5 ? bytes.subarray(HEAD.size) : bytes;
    const piece = content.subarray(0, length - done);
    value.set(piece, done);
    done += piece.length;
  }
  return value;
}
