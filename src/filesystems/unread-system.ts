import { FileSystemUnsupportedError } from './file-system.ts';
import type { FileSystemSignature } from './volume.ts';

interface UnreadSystem {
  /** What follows “the volume …”. */
  readonly what: string;
  /** What reads it, behind “recover the volume whole, then”. */
  readonly next: string;
}

const WINDOWS = 'attach it to a Windows machine';
const LINUX = 'attach it to a Linux machine';

/** What `detectFileSystem` names, and mabs does not read. */
const SYSTEMS: Readonly<Record<string, UnreadSystem>> = {
  BitLocker: { what: 'is encrypted by BitLocker', next: `${WINDOWS} and unlock it with its recovery key` },
  crypto_LUKS: { what: 'is encrypted by LUKS', next: `${LINUX} and open it with cryptsetup and its passphrase` },
  refs: { what: 'holds ReFS', next: WINDOWS },
  storage_spaces: { what: 'belongs to Storage Spaces', next: 'attach all disks of the pool to a Windows machine' },
  windows_ldm: { what: 'belongs to a Windows dynamic disk', next: 'attach all dynamic disks of the machine to a Windows machine' },
  linux_raid_member: { what: 'is a member of a Linux RAID', next: `${LINUX} with the other members, and assemble them with mdadm` },
  zfs_member: { what: 'is a member of a ZFS pool', next: 'attach it with the other members to a machine with ZFS, and import the pool' },
  VMFS_volume_member: { what: 'holds VMFS', next: 'attach it to an ESXi host' },
  bcache: { what: 'is a bcache device', next: LINUX },
  bcachefs: { what: 'holds bcachefs', next: LINUX },
  btrfs: { what: 'holds Btrfs', next: LINUX },
  apfs: { what: 'holds APFS', next: 'attach it to a Mac' },
  hfsplus: { what: 'holds HFS+', next: 'attach it to a Mac or a Linux machine' },
  f2fs: { what: 'holds F2FS', next: LINUX },
  jfs: { what: 'holds JFS', next: LINUX },
  reiserfs: { what: 'holds ReiserFS', next: LINUX },
  squashfs: { what: 'holds SquashFS', next: LINUX },
  hpfs: { what: 'holds HPFS', next: 'attach it to a machine that reads it' },
  iso9660: { what: 'holds ISO 9660, the system of CDs', next: 'open it as a CD image' },
  jbd: { what: 'holds the journal of an ext file system on another volume', next: 'open that volume with it' },
};

/** What holds no files of its own. */
const NO_FILES: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  LVM2_member: ['is a physical volume of LVM', 'Its logical volumes are volumes of their own: name one as /lv/GROUP/VOLUME.'],
  swap: ['is Linux swap space, which holds no files', 'Name another volume; without a path, the volumes are listed.'],
  swsuspend: ['holds the image of a hibernated Linux, and no files', 'Name another volume; without a path, the volumes are listed.'],
};

/** Types in partition tables that say of a volume that others belong to it, whatever lies at its start. */
const JOINED_TYPES: Readonly<Record<string, string>> = {
  '42': 'windows_ldm',
  'AF9B60A0-1431-4F62-BC68-3311714A69AD': 'windows_ldm',
  '5808C8AA-7E8F-42E0-85D2-E1E90434CFB3': 'windows_ldm',
  'E75CAF8F-F680-4CEE-AFA3-B001E56EFC2D': 'storage_spaces',
};

/** What a volume is by its type alone (MBR: hex, GPT: upper case): a part of what only Windows puts together. */
export function signatureOfType(type: string): FileSystemSignature | undefined {
  const name = Object.hasOwn(JOINED_TYPES, type) ? JOINED_TYPES[type] : undefined;
  return name === undefined ? undefined : { name };
}

/** Whether what `detectFileSystem` names so is not meant to hold files: swap, a part of a volume group. */
export const holdsNoFiles = (name: string): boolean => Object.hasOwn(NO_FILES, name);

/** The error for a volume whose files mabs does not read, in words, with what to do instead; `undefined`: nothing known lies on it. */
export function unreadSystemError(name: string | undefined): FileSystemUnsupportedError {
  if (name === undefined) return new FileSystemUnsupportedError('nothing that is known lies on the volume');
  if (holdsNoFiles(name)) {
    const [what, hint] = NO_FILES[name]!;
    return new FileSystemUnsupportedError(`the volume ${what}`, hint);
  }
  const system = Object.hasOwn(SYSTEMS, name) ? SYSTEMS[name] : undefined;
  if (!system) return new FileSystemUnsupportedError(`the volume holds ${name}, which mabs does not read`);
  return new FileSystemUnsupportedError(
    `the volume ${system.what}, which mabs does not read`,
    `Recover the volume whole (…:/diskN/pN --to folder:DIR), or the disk; then ${system.next}.`,
  );
}
