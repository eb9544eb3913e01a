import { nameFromBytes } from '../../lib/byte-names.ts';
import type { FileNode, FileType } from '../file-system.ts';
import { type Inode, readInode } from './inode.ts';
import { linkTarget } from './link-target.ts';
import { damaged } from './xfs-damage.ts';
import type { XfsVolume } from './xfs-volume.ts';

/** The file type bits of a mode, as POSIX systems have them. */
const TYPE_BITS = 0o170000;
const TYPES = new Map<number, { readonly type: FileType; readonly special?: NonNullable<FileNode['special']> }>([
  [0o100000, { type: 'file' }],
  [0o040000, { type: 'dir' }],
  [0o120000, { type: 'link' }],
  [0o010000, { type: 'other', special: 'fifo' }],
  [0o140000, { type: 'other', special: 'socket' }],
  [0o060000, { type: 'other', special: 'block-device' }],
  [0o020000, { type: 'other', special: 'char-device' }],
]);

/** What an inode says of its file. */
export async function readFileNode(volume: XfsVolume, number: number): Promise<FileNode> {
  return await fileNode(volume, await readInode(volume, number));
}

async function fileNode(volume: XfsVolume, inode: Inode): Promise<FileNode> {
  const known = TYPES.get(inode.mode & TYPE_BITS);
  if (!known) throw damaged(`inode ${inode.number} is of no known type`);
  const hasContent = known.type === 'file' || known.type === 'link';
  return {
    id: String(inode.number),
    ...known,
    size: hasContent ? inode.size : 0,
    modified: inode.modified,
    ...(inode.created !== undefined && { created: inode.created }),
    accessed: inode.accessed,
    changed: inode.changed,
    mode: inode.mode & 0o7777,
    uid: inode.uid,
    gid: inode.gid,
    links: inode.links,
    ...(known.type === 'link' && { target: nameFromBytes(await linkTarget(volume, inode)) }),
    ...(known.type === 'file' && inode.isRealtime && { unreadable: 'its content lies on a realtime device, which is another disk' }),
  };
}
