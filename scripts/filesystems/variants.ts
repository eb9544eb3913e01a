import type { ContentOptions } from './content.ts';

/** One image to make, fill, and read twice. */
export interface Variant {
  readonly name: string;
  /** How long its image is, in MiB. */
  readonly mebibytes: number;
  readonly make: readonly string[];
  /** `tools`: mtools writes and reads it, because nothing here mounts it. */
  readonly mount: 'loop' | 'ntfs-3g' | 'exfat-fuse' | 'tools';
  readonly content: Partial<ContentOptions>;
  /** How exact its times are, in nanoseconds. */
  readonly timeUnit?: bigint;
  /** Times outside of this many seconds since 1970 are not kept by it. */
  readonly lastSecond?: number;
  /** The image is copied while it is mounted: its journal has to be replayed, by the kernel on one copy and by mabs on the other. */
  readonly unclean?: true;
  /** Modes, owners and links of POSIX are compared. */
  readonly posix: boolean;
}

const ext = (name: string, make: string[], more: Partial<Variant> = {}): Variant => ({
  name,
  mebibytes: 192,
  make: ['mke2fs', '-q', '-F', '-E', 'lazy_itable_init=0,nodiscard', ...make],
  mount: 'loop',
  content: {},
  posix: true,
  ...more,
});
const xfs = (name: string, make: string[], more: Partial<Variant> = {}): Variant => ({
  name,
  mebibytes: 512,
  make: ['mkfs.xfs', '-q', '-f', ...make],
  mount: 'loop',
  content: {},
  posix: true,
  ...more,
});
const windows = { posix: false, content: { posix: false, windowsNames: true, hardLinks: false, sparseBytes: 0 } } as const;
const ntfs = (name: string, make: string[], more: Partial<Variant> = {}): Variant => ({
  name,
  mebibytes: 256,
  make: ['mkntfs', '-q', '-Q', '-F', ...make],
  mount: 'ntfs-3g',
  posix: false,
  timeUnit: 100n,
  ...more,
  content: { posix: false, windowsNames: false, hardLinks: true, ...more.content },
});
const fat = (name: string, mebibytes: number, make: string[], many = 1500): Variant => ({
  ...windows,
  name,
  mebibytes,
  make: ['mkfs.vfat', ...make],
  mount: 'tools',
  timeUnit: 2_000_000_000n,
  content: { ...windows.content, many, largeBytes: Math.min(20, Math.floor(mebibytes / 8)) * 1024 * 1024 },
});
const exfat = (name: string, make: string[], mebibytes = 192): Variant => ({
  ...windows,
  name,
  mebibytes,
  make: ['mkfs.exfat', ...make],
  mount: 'exfat-fuse',
  timeUnit: 2_000_000_000n,
});

/** Second 2^31: what inodes of 128 bytes cannot count to. */
const SMALL_INODE = { lastSecond: 2 ** 31 - 1, timeUnit: 1_000_000_000n };

/** Every kind of image that the tools of Linux make and mabs reads. */
export const VARIANTS: readonly Variant[] = [
  ext('ext2 of 1 KiB blocks', ['-t', 'ext2', '-b', '1024', '-I', '128'], SMALL_INODE),
  ext('ext2 of 4 KiB blocks', ['-t', 'ext2', '-b', '4096']),
  ext('ext3', ['-t', 'ext3', '-I', '128'], SMALL_INODE),
  ext('ext3, not unmounted', ['-t', 'ext3'], { unclean: true }),
  ext('ext4', ['-t', 'ext4', '-O', '64bit,metadata_csum'], { content: { sparseBytes: 5 * 1024 ** 3 } }),
  ext('ext4 of 1 KiB blocks', ['-t', 'ext4', '-b', '1024', '-N', '20000']),
  ext('ext4 with inline data', ['-t', 'ext4', '-I', '1024', '-O', 'inline_data,metadata_csum_seed,sparse_super2']),
  ext('ext4 with clusters', ['-t', 'ext4', '-O', 'bigalloc', '-C', '16384']),
  ext('ext4 without extents and checksums', ['-t', 'ext4', '-O', '^extent,^metadata_csum,^64bit,^flex_bg,meta_bg,^resize_inode']),
  ext('ext4 with every other feature', [
    '-t',
    'ext4',
    '-O',
    'large_dir,ea_inode,encrypt,metadata_csum_seed,fast_commit,uninit_bg',
    '-I',
    '512',
  ]),
  ext('ext4, not unmounted', ['-t', 'ext4', '-O', '64bit,metadata_csum'], { unclean: true }),
  xfs('xfs', [], { content: { sparseBytes: 5 * 1024 ** 3 } }),
  xfs('xfs of 1 KiB blocks', ['-b', 'size=1024', '-m', 'crc=1,reflink=0', '-i', 'size=512']),
  xfs('xfs with large directory blocks', ['-n', 'size=16384', '-i', 'size=2048', '-m', 'rmapbt=1']),
  xfs('xfs without big times', ['-m', 'bigtime=0,inobtcount=0,reflink=0', '-i', 'sparse=0'], { lastSecond: 2 ** 31 - 1 }),
  xfs('xfs in six groups of 4 KiB sectors', ['-s', 'size=4096', '-d', 'agcount=6', '-i', 'nrext64=1,maxpct=50']),
  ntfs('ntfs', [], { content: { sparseBytes: 5 * 1024 ** 3 } }),
  ntfs('ntfs in clusters of 512 bytes', ['-c', '512']),
  ntfs('ntfs in clusters of 64 KiB', ['-c', '65536']),
  ntfs('ntfs of 4 KiB sectors', ['-s', '4096', '-c', '4096']),
  fat('fat12', 31, ['-F', '12', '-s', '16'], 300),
  fat('fat16', 64, ['-F', '16', '-s', '4']),
  fat('fat32', 128, ['-F', '32', '-s', '1']),
  fat('fat32 in clusters of 32 KiB', 2100, ['-F', '32', '-s', '64'], 200),
  fat('fat32 of 4 KiB sectors', 300, ['-F', '32', '-S', '4096', '-s', '1']),
  exfat('exfat', []),
  exfat('exfat in clusters of 512 bytes', ['-c', '512']),
  exfat('exfat in clusters of 128 KiB', ['-c', '131072'], 1024),
];
