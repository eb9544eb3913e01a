import type { ByteRange } from '../lib/byte-range.ts';
import { MabsError } from '../lib/errors.ts';
import type { FileTime } from '../lib/file-time.ts';
import type { Volume } from './volume.ts';

export type FileType = 'file' | 'dir' | 'link' | 'other';

/** What Windows' systems know of a file beside its bytes; FAT has the first five. */
export type FileAttribute =
  | 'readonly'
  | 'hidden'
  | 'system'
  | 'archive'
  | 'volume'
  | 'compressed'
  | 'encrypted'
  | 'sparse'
  | 'reparse'
  | 'offline'
  | 'deduplicated';

/** An alternate data stream (NTFS). */
export interface FileStream {
  readonly name: string;
  readonly size: number;
}

/**
 * One file, directory or link, as its file system keeps it. Everything in it is untrusted data: a size may be larger than the volume,
 * a time may be out of any calendar, a target may lead anywhere.
 */
export interface FileNode {
  /** Identity within its file system: hard links share it, nothing else does. */
  readonly id: string;
  readonly type: FileType;
  /** Bytes of the content; of a link, of its target; 0 for directories. A safe integer. */
  readonly size: number;
  readonly modified?: FileTime;
  readonly created?: FileTime;
  readonly accessed?: FileTime;
  /** When the metadata changed last (POSIX ctime, NTFS record change). */
  readonly changed?: FileTime;
  /** POSIX permission bits with set-id and sticky (07777); only where the system has them. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Number of names; 1 where the system has no hard links. */
  readonly links: number;
  readonly attributes?: readonly FileAttribute[];
  readonly streams?: readonly FileStream[];
  /** Of a link: where it leads, as stored (an NTFS junction: without the `\??\` prefix). Never followed by a reader. */
  readonly target?: string;
  /** Of a link: what NTFS calls a junction or mount point. */
  readonly junction?: boolean;
  /** Why its content cannot be read, in words: encrypted by EFS, deduplicated, kept elsewhere. `open` then rejects. */
  readonly unreadable?: string;
  /** Of `other`: what it is. */
  readonly special?: 'fifo' | 'socket' | 'block-device' | 'char-device' | 'unknown';
}

/**
 * A name in a directory. `name` is as stored: of a system that keeps UTF-16 (NTFS, FAT, exFAT) those units, lone surrogates too; of
 * one that keeps bytes, UTF-8 with each byte that is none as U+DC00 + byte (see `lib/byte-names.ts`). It may hold anything, also `/`.
 */
export interface DirectoryEntry {
  readonly name: string;
  /** As far as the directory tells without reading the file. */
  readonly type?: FileType;
  /** What the name stands for. Rejects with kind `damaged` where that is broken; its neighbours are not affected. */
  node(): Promise<FileNode>;
}

/** The bytes of a file or stream. Reading needs no closing; it ends with the volume. */
export interface FileContent {
  readonly sizeBytes: number;
  /** Fills `into` from `offset`, wholly or not at all. Holes and what was never written read as zero. Past the end: MABS-READ-PAST-END. */
  read(offset: number, into: Uint8Array): Promise<void>;
  /** Parts of `range` that may hold something else than zeros: normalized, within the range. Callers ask in windows. */
  data(range: ByteRange): Promise<ByteRange[]>;
}

/** What a file system says of a file beside its content, byte for byte, to be kept next to it. */
export interface FileExtras {
  /** NTFS: a self-relative SECURITY_DESCRIPTOR ([MS-DTYP] 2.4.6). */
  readonly securityDescriptor?: Uint8Array;
  /** NTFS: the reparse point as stored ([MS-FSCC] 2.1.2). */
  readonly reparsePoint?: Uint8Array;
  /** Extended attributes with their whole names (`user.x`, `security.selinux`, POSIX ACLs as the system's own bytes). */
  readonly extendedAttributes?: readonly { readonly name: string; readonly value: Uint8Array }[];
}

export interface FileSystemInfo {
  /** As `blkid` names it: `ntfs`, `vfat`, `exfat`, `ext2`, `ext3`, `ext4`, `xfs`. */
  readonly type: string;
  readonly label?: string;
  /** As `blkid` writes it. */
  readonly uuid?: string;
  /** What the file system says it spans: at most the volume. */
  readonly sizeBytes: number;
  /** Bytes of an allocation unit. */
  readonly clusterSize: number;
  /** As its own summary or maps say; absent where only counting would tell. */
  readonly freeBytes?: number;
  /**
   * `none`: it keeps none. `clean`: nothing is pending. `replayed`: pending changes are seen, replayed in memory. `dirty`: there are, or may be,
   * pending changes that are not seen, or the system marks itself as in need of a check, or it is cut off or known only from a copy.
   */
  readonly journal: 'none' | 'clean' | 'replayed' | 'dirty';
  /** What a person should know, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * A file system on a volume, opened to read; nothing here ever writes. Readers hold no more than a few MiB whatever the volume holds,
 * follow no link, end on every loop, and answer damage with a typed error of kind `damaged` for the file it concerns alone.
 */
export interface FileSystem {
  readonly info: FileSystemInfo;
  /** How names are stored: what `DirectoryEntry.name` is made of. */
  readonly names: 'bytes' | 'utf16';
  root(): Promise<FileNode>;
  /** The names in a directory, `.` and `..` left out, in its own order; each once. Names of one kind only: an NTFS file's short name is left out. */
  list(directory: FileNode): AsyncIterable<DirectoryEntry>;
  /** A name in a directory, by index where it has one; regardless of case where its system does so and no name is exactly equal. */
  find(directory: FileNode, name: string): Promise<FileNode | undefined>;
  /** The content of a file, or of one of its streams. MABS-FILE-UNREADABLE where `unreadable` says why; `usage` for what is no file. */
  open(file: FileNode, stream?: string): Promise<FileContent>;
  extras(file: FileNode): Promise<FileExtras>;
  /** Where on the volume the main content of a file is allocated: normalized whole allocation units; nothing for resident or inline content. */
  allocation(file: FileNode): Promise<ByteRange[]>;
  /** Units of the volume that belong to nothing, as its allocation maps say: ascending and apart. Never asked of a `dirty` one. */
  free(): AsyncIterable<ByteRange>;
}

/** One kind of file system. */
export interface FileSystemDriver {
  /** Names of `detectFileSystem` that it opens. */
  readonly types: readonly string[];
  /** Rejects with kind `damaged` where the volume is not, or no longer, one; MABS-FS-UNSUPPORTED for a feature it does not know. */
  open(volume: Volume): Promise<FileSystem>;
}

export interface FileSystems {
  /** Opens what lies on a volume. What is known but not read here (BitLocker, ReFS, btrfs, …), and nothing at all: MABS-FS-UNSUPPORTED, which names it. */
  open(volume: Volume): Promise<FileSystem>;
}

/** A structure of a file system is wrong. */
export class FileSystemDamagedError extends MabsError {
  readonly code = 'MABS-FS-DAMAGED';
  readonly hint = 'Other files of the volume can be read all the same. Try an older recovery point, or check the file system in the guest.';
  override readonly kind = 'damaged';
  /** `system`: ntfs, ext4, …; `what`: which structure and what is wrong with it. */
  constructor(system: string, what: string, options?: ErrorOptions) {
    super(`${system}: ${what}`, options);
  }
}

/** There is nothing on the volume that this version reads. */
export class FileSystemUnsupportedError extends MabsError {
  readonly code = 'MABS-FS-UNSUPPORTED';
  readonly hint: string;
  override readonly kind = 'prerequisite';
  constructor(
    what: string,
    hint = 'Recover the volume whole (…:/diskN/pN --to folder:DIR), or the disk, and read it with its own system.',
  ) {
    super(what);
    this.hint = hint;
  }
}

/** The content of a file cannot be had, though nothing is damaged. */
export class FileUnreadableError extends MabsError {
  readonly code = 'MABS-FILE-UNREADABLE';
  readonly hint = 'Recover the whole VM or disk: the guest reads the file itself.';
  override readonly kind = 'prerequisite';
  constructor(file: string, why: string) {
    super(`${file} cannot be read: ${why}`);
  }
}

/** What was asked for makes no sense for what is there: the content of a directory, the names in a file. */
export class FileTypeError extends MabsError {
  readonly code = 'MABS-FILE-TYPE';
  readonly hint: string;
  override readonly kind = 'usage';
  constructor(message: string, hint = 'List the folder that it lies in: its type is shown there.') {
    super(message);
    this.hint = hint;
  }
}
