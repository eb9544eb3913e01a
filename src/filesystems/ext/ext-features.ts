/** Feature bits of the superblock (Linux, Documentation/filesystems/ext4/super.rst). */
export const COMPAT = { hasJournal: 0x4, dirIndex: 0x20, sparseSuper2: 0x200, fastCommit: 0x400 } as const;

export const INCOMPAT = {
  filetype: 0x2,
  recover: 0x4,
  metaBg: 0x10,
  bits64: 0x80,
  checksumSeed: 0x2000,
  inlineData: 0x8000,
  encrypt: 0x1_0000,
  casefold: 0x2_0000,
} as const;

export const RO_COMPAT = {
  sparseSuper: 0x1,
  groupChecksum: 0x10,
  bigalloc: 0x200,
  metadataChecksum: 0x400,
  orphanPresent: 0x1_0000,
} as const;

/** What a reader has to know, in the order of bits; `undefined` where this one does not. */
const INCOMPAT_KNOWN =
  0x2 | 0x4 | 0x10 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x2000 | 0x4000 | 0x8000 | INCOMPAT.encrypt | INCOMPAT.casefold;
const RO_COMPAT_KNOWN =
  0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x20 | 0x40 | 0x100 | 0x200 | 0x400 | 0x1000 | 0x2000 | 0x4000 | 0x8000 | RO_COMPAT.orphanPresent;

const NAMES: Readonly<Record<number, string>> = { 1: 'compression', 8: 'journal_dev', 4096: 'dirdata' };

/** Names of the features that keep this version from reading the volume; as the kernel names them where it does. */
export function unknownIncompat(bits: number): string[] {
  return bitsOf(bits & ~INCOMPAT_KNOWN).map((bit) => NAMES[bit] ?? `incompat 0x${bit.toString(16)}`);
}

/** Names of features that do not hinder reading, but may change what its allocation maps mean. */
export function unknownRoCompat(bits: number): string[] {
  return bitsOf(bits & ~RO_COMPAT_KNOWN).map((bit) => `ro_compat 0x${bit.toString(16)}`);
}

function bitsOf(value: number): number[] {
  return Array.from({ length: 32 }, (_, index) => (1 << index) >>> 0).filter((bit) => (value & bit) !== 0);
}
