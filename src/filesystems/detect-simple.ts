import { hasText, labelText, readInside, withLabel } from './probe.ts';
import type { FileSystemSignature, Volume } from './volume.ts';

interface Signature {
  readonly name: string;
  readonly at: number;
  readonly text: string;
  /** Where a label in UTF-8 stands, and its size. */
  readonly label?: readonly [at: number, size: number];
}

/** Systems that one text at one place gives away. Offsets are from the volume's start. */
const signatures: readonly Signature[] = [
  { name: 'xfs', at: 0, text: 'XFSB', label: [108, 12] },
  { name: 'squashfs', at: 0, text: 'hsqs' },
  { name: 'storage_spaces', at: 0, text: 'SPACEDB ' },
  { name: 'apfs', at: 32, text: 'NXSB' },
  { name: 'f2fs', at: 1024, text: '\x10\x20\xf5\xf2' },
  { name: 'hfsplus', at: 1024, text: 'H+\0\x04' },
  { name: 'hfsplus', at: 1024, text: 'HX\0\x05' },
  { name: 'bcache', at: 4096 + 24, text: '\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf7\x7c\xd9\x4d\x4b\xd8' },
  { name: 'hpfs', at: 8192, text: '\x49\xe8\x95\xf9', label: [43, 11] },
  { name: 'jfs', at: 32_768, text: 'JFS1', label: [32_768 + 152, 16] },
  { name: 'iso9660', at: 32_769, text: 'CD001', label: [32_808, 32] },
  { name: 'btrfs', at: 65_600, text: '_BHRfS_M', label: [65_835, 256] },
  { name: 'reiserfs', at: 65_588, text: 'ReIsEr2Fs', label: [65_636, 16] },
  { name: 'reiserfs', at: 65_588, text: 'ReIsEr3Fs', label: [65_636, 16] },
  { name: 'VMFS_volume_member', at: 1_048_576, text: '\x0d\xd0\x01\xc0' },
];

const SWAP_PAGE_SIZES = [4096, 8192, 16_384, 32_768, 65_536];

/** Everything that a text at a fixed place gives away, and Linux swap, whose signature ends its first page. */
export async function detectSimple(volume: Volume): Promise<FileSystemSignature | undefined> {
  for (const { name, at, text, label } of signatures) {
    const bytes = await readInside(volume, at, text.length);
    if (!bytes || !hasText(bytes, 0, text)) continue;
    const field = label && (await readInside(volume, ...label));
    return withLabel(name, field && labelText(field));
  }
  for (const page of SWAP_PAGE_SIZES) {
    const end = await readInside(volume, page - 10, 10);
    if (end && hasText(end, 0, 'SWAPSPACE2')) {
      const field = await readInside(volume, 1024 + 28, 16);
      return withLabel('swap', field && labelText(field));
    }
    if (end && hasText(end, 0, 'SWAP-SPACE')) return { name: 'swap' };
    if (end && hasText(end, 0, 'S1SUSPEND')) return { name: 'swsuspend' };
  }
  return undefined;
}
