import type { ByteSource } from '../lib/byte-source.ts';

/** A volume to look at: a partition, or a whole disk. */
export type Volume = Pick<ByteSource, 'sizeBytes' | 'read'>;

/** What lies on a volume, as `blkid` names it: `ntfs`, `vfat`, `ext4`, `xfs`, `swap`, `LVM2_member`, `BitLocker`, … */
export interface FileSystemSignature {
  readonly name: string;
  /** As it reads in its own system; absent where there is none. Untrusted text. */
  readonly label?: string;
}
