import { ascii, struct, u32be } from '../../lib/struct.ts';
import { ExtentMap } from './extent-map.ts';
import type { Inode } from './inode.ts';
import { damaged } from './xfs-damage.ts';
import type { XfsVolume } from './xfs-volume.ts';

/** XFS Algorithms & Data Structures, Symbolic Links: what each piece of a target begins with in version 5. */
const HEAD = struct(56, { magic: ascii(0, 4), offset: u32be(4), length: u32be(8) });
const HEAD_FIELDS = { checksumAt: 12, blockAt: 40 };
/** `XFS_SYMLINK_MAXLEN`. */
const MAX_LENGTH = 1024;

/** Where a symbolic link leads: bytes that stand in the inode, or in blocks of its own. */
export async function linkTarget(volume: XfsVolume, { data, size, number }: Inode): Promise<Uint8Array> {
  const what = `symbolic link ${number}`;
  if (size === 0 || size > MAX_LENGTH) throw damaged(`${what} has a target of ${size} bytes`);
  if (data.format === 'local') {
    if (size > data.bytes.length) throw damaged(`${what}: its target does not fit`);
    return data.bytes.slice(0, size);
  }
  const { blockSize, version } = volume.superblock;
  const target = new Uint8Array(size);
  let done = 0;
  for await (const extent of new ExtentMap(volume, data, what).within(0, MAX_LENGTH)) {
    if (done === size) break;
    const run = volume.runAt(extent.block, extent.count, what);
    if (run.count > MAX_LENGTH) throw damaged(`${what} takes ${run.count} blocks`);
    const piece = await volume.bytesAt(run.block * blockSize, run.count * blockSize);
    if (version === 5) checkPiece(volume, piece, run.block * blockSize, done, what);
    const text = version === 5 ? piece.subarray(HEAD.size) : piece;
    const length = Math.min(text.length, size - done);
    target.set(text.subarray(0, length), done);
    done += length;
  }
  if (done < size) throw damaged(`${what}: its target ends early`);
  return target;
}

function checkPiece(volume: XfsVolume, piece: Uint8Array, position: number, offset: number, what: string): void {
  const head = HEAD.read(piece);
  if (head.magic !== 'XSLM' || head.offset !== offset) throw damaged(`${what}: its block holds something else`);
  volume.check(piece, HEAD_FIELDS, position, what);
}
