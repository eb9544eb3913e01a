import { nameFromBytes } from '../../lib/byte-names.ts';
import { type FileTime, fileTimeFromUnix } from '../../lib/file-time.ts';
import { safeNumber } from '../../lib/struct.ts';
import type { FileNode, FileType } from '../file-system.ts';
import { damaged, type ExtVolume } from './ext-volume.ts';
import { INODE_FLAGS, type Inode, type InodeTime, MODE } from './inode.ts';
import { readLinkTarget } from './link-target.ts';

type Special = NonNullable<FileNode['special']>;

const TYPES: Readonly<Record<number, FileType>> = { [MODE.file]: 'file', [MODE.dir]: 'dir', [MODE.link]: 'link' };
const SPECIALS: Readonly<Record<number, Special>> = {
  [MODE.fifo]: 'fifo',
  [MODE.char]: 'char-device',
  [MODE.block]: 'block-device',
  [MODE.socket]: 'socket',
};

/** An inode as the port shows it. Damaged when it is not in use. */
export async function fileNode(ext: ExtVolume, inode: Inode): Promise<FileNode> {
  const { format, flags, number } = inode;
  if (inode.links === 0 || (flags & INODE_FLAGS.attributeValue) !== 0) throw damaged(ext, `inode ${number} is not in use as a file`);
  const type = TYPES[format] ?? 'other';
  const isEncrypted = (flags & INODE_FLAGS.encrypted) !== 0;
  const target = type === 'link' ? await readLinkTarget(ext, inode) : undefined;
  return {
    id: String(number),
    type,
    size: type === 'file' ? sizeOf(ext, inode) : (target?.length ?? 0),
    ...timesOf(inode),
    mode: inode.mode & 0o7777,
    uid: inode.uid,
    gid: inode.gid,
    links: inode.links,
    ...(target && { target: isEncrypted ? encryptedName(target) : nameFromBytes(target) }),
    ...(isEncrypted && { attributes: ['encrypted'] }),
    ...(isEncrypted && type !== 'dir' && { unreadable: ENCRYPTED }),
    ...(type === 'other' && { special: SPECIALS[format] ?? 'unknown' }),
  };
}

const ENCRYPTED = 'it is encrypted by fscrypt, and the key is not on the volume';

/** How a name or target that is encrypted is shown: its bytes in base64url, since they may be any, `/` and zero too. */
export const encryptedName = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

/** The size of a file, which is a safe integer. */
export function sizeOf(ext: ExtVolume, { size, number }: Inode): number {
  const found = safeNumber(size);
  if (found === undefined) throw damaged(ext, `inode ${number} claims ${size} bytes`);
  return found;
}

function timesOf({ modified, created, accessed, changed }: Inode): Pick<FileNode, 'modified' | 'created' | 'accessed' | 'changed'> {
  return {
    modified: timeOf(modified),
    accessed: timeOf(accessed),
    changed: timeOf(changed),
    ...(created && { created: timeOf(created) }),
  };
}

/** The extra field holds two bits that extend the seconds beyond 2038, up to 2446, and 30 of nanoseconds. */
function timeOf({ seconds, extra = 0 }: InodeTime): FileTime {
  return fileTimeFromUnix(seconds + (extra & 3) * 2 ** 32, extra >>> 2);
}
