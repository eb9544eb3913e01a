import type { ByteRange } from '../lib/byte-range.ts';
import type { DiskSource } from './disk-source.ts';

export type DiskFormatName = 'vhdx' | 'vhd' | 'raw';
export type DiskSubformat = 'fixed' | 'dynamic' | 'differencing';

/** What an image says of itself, without its content. */
export interface DiskImageInfo {
  readonly format: DiskFormatName;
  readonly subformat: DiskSubformat;
  readonly virtualSize: number;
  /** Bytes in a payload block of the container; 0 where the format has none (raw, fixed VHD). */
  readonly blockSize: number;
  readonly logicalSectorSize: number;
  readonly physicalSectorSize: number;
  /** The disk id that the format keeps (VHDX virtual disk id, VHD unique id), lower case with hyphens. */
  readonly diskId?: string;
  readonly parent?: { readonly path: string; readonly status: 'found' | 'missing' | 'wrong' };
  readonly dirtyLog: boolean;
}

export interface OpenImageOptions {
  /**
   * A person names this very file, to look into it: then a fixed VHD is one under the name `.raw`, too, as nothing in it leads to another
   * file. Never for the disks of a VM, whose guest writes every byte of a raw disk, also what would be the footer.
   */
  readonly byHand?: boolean;
  /** Parent of a differencing image, instead of what its locators say. Its identity is verified all the same. */
  readonly parent?: string;
}

export interface CreateImageOptions {
  readonly sizeBytes: number;
  readonly subformat: DiskSubformat;
  readonly logicalSectorSize?: 512 | 4096;
  readonly physicalSectorSize?: 512 | 4096;
  /** VHDX 1 MiB to 256 MiB, a power of two; VHD 512 KiB or 2 MiB. The format's default when absent. */
  readonly blockSize?: number;
  /** For `differencing`: the parent's path; size and sectors come from it. */
  readonly parent?: string;
  readonly diskId?: string;
}

/** A virtual disk opened for reading and writing in place. One writer at a time. */
export interface WritableDisk extends DiskSource {
  /** Writes at a position of the virtual disk. Sector-aligned or not. Past the end: MABS-DISK-RANGE. */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /**
   * Makes room for ranges of the virtual disk, so that `extents` answers `file` for them and other threads may write there
   * themselves. What was zero before reads as zero until it is written. Never for a differencing disk.
   */
  allocate(ranges: readonly ByteRange[]): Promise<void>;
  /** Everything written so far is durable when this resolves. */
  flush(): Promise<void>;
  /** Sparse range that is all zero from now on, when the format can tell; otherwise zeros are written. */
  writeZeros(range: ByteRange): Promise<void>;
}

/** One container format. Parsers check every length, offset and count; a damaged image is a typed error of kind `damaged`. */
export interface DiskFormat {
  readonly name: DiskFormatName;
  /** Whether the file is of this format: true also for a damaged one whose signature can be told. */
  detect(path: string): Promise<boolean>;
  /** Describes also an image whose parent is missing or wrong. Reads no payload. */
  describe(path: string, options?: OpenImageOptions): Promise<DiskImageInfo>;
  /** Opens the content, parents included. A missing or wrong parent: kind `prerequisite`. */
  open(path: string, options?: OpenImageOptions): Promise<DiskSource>;
  /** Opens to write in place. A dirty log is replayed into the file first. */
  openForWriting(path: string, options?: OpenImageOptions): Promise<WritableDisk>;
  /** Makes a new image; the file must not exist. After `flush` and dispose it is complete. A failure removes the file. */
  create(path: string, options: CreateImageOptions): Promise<WritableDisk>;
  /**
   * Writes what a differencing image holds of its own into its parent, durably: the parent then reads as the image did. The image
   * stays as it is; nothing else may have either of them open. A parent that is not the one named by the image is refused as by
   * `open`, unless `resume` says that an interrupted merge goes on: it has changed the parent's identity already. May be called any
   * number of times. Absent where a format has no differencing images.
   */
  mergeIntoParent?(path: string, options?: OpenImageOptions & { readonly resume?: boolean }): Promise<void>;
}

/** One entry of a partition table. The range is what the table says: it may reach past the disk's end. */
export interface Partition extends ByteRange {
  /** As Linux numbers them: GPT entry + 1; MBR primary 1 to 4, logical from 5. A disk without a table is its own partition 1. */
  readonly index: number;
  /** GPT: the type's GUID in upper case; MBR: the type byte in hex without leading zeros; no table: `''`. */
  readonly type: string;
  /** The name that GPT keeps, if any. */
  readonly name?: string;
}

export interface PartitionTable {
  readonly scheme: 'gpt' | 'mbr' | 'none';
  /** Ascending by index. An extended partition is listed too. Empty for scheme `none`. */
  readonly partitions: readonly Partition[];
}

/** A partition or disk that may belong to a volume group. */
export interface PhysicalVolume {
  readonly sizeBytes: number;
  read(offset: number, into: Uint8Array): Promise<void>;
}

/** Where a part of a logical volume lies. */
export interface LogicalPlace extends ByteRange {
  /** Which of the physical volumes that were given, and where on it. */
  readonly member: number;
  readonly position: number;
}

/** A logical volume of LVM2. Names come from the disk; they hold only what LVM allows in names. */
export interface LogicalVolume {
  readonly group: string;
  /** The group's identity, 32 characters; of further copies of one group on cloned disks with `.2`, `.3`, … behind. */
  readonly groupId: string;
  readonly name: string;
  readonly sizeBytes: number;
  /** Why it cannot be read, in words: a physical volume is missing, or its layout is not linear or striped. */
  readonly unreadable?: string;
  /** Where the bytes of `range` lie: ascending, adjoining, covering exactly the range. Past the end: MABS-DISK-RANGE; of an unreadable one: MABS-LVM-UNREADABLE. */
  place(range: ByteRange): LogicalPlace[];
}

/** All formats: finds the one of a file by its content; a name in `.raw` is raw, and one that promises a format is never taken for raw. */
export interface DiskFormats {
  get(name: DiskFormatName): DiskFormat;
  detect(path: string, options?: OpenImageOptions): Promise<DiskFormat>;
  describe(path: string, options?: OpenImageOptions): Promise<DiskImageInfo>;
  open(path: string, options?: OpenImageOptions): Promise<DiskSource>;
  openForWriting(path: string, options?: OpenImageOptions): Promise<WritableDisk>;
  /** The partition table on a disk. What it finds never fails: a damaged table is its intact copy, or none. */
  partitions(disk: DiskSource): Promise<PartitionTable>;
  /** What is wrong with the partition table, a sentence each: copies of a GPT that are damaged or differ. Never fails but for reading itself. */
  partitionProblems(disk: DiskSource): Promise<string[]>;
  /** The logical volumes of all groups whose physical volumes are among `members`; others among them are passed by. What is damaged is left out. */
  logicalVolumes(members: readonly PhysicalVolume[]): Promise<LogicalVolume[]>;
}
