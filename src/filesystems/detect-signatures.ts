import { hasText, labelText, readInside, withLabel } from './probe.ts';
import type { FileSystemSignature, Volume } from './volume.ts';

interface Signature {
  readonly name: string;
  readonly at: number;
  readonly text: string;
  /** Where a label in UTF-8 stands, and its size. */
  readonly label?: readonly [at: number, size: number];
}

/**
 * Systems that one text at one place gives away. Offsets are from the volume's start. These lie where whatever is made on the volume later
 * writes something of its own.
 */
const NEAR: readonly Signature[] = [
  { name: 'xfs', at: 0, text: 'XFSB', label: [108, 12] },
  { name: 'squashfs', at: 0, text: 'hsqs' },
  { name: 'storage_spaces', at: 0, text: 'SPACEDB ' },
  { name: 'apfs', at: 32, text: 'NXSB' },
  { name: 'f2fs', at: 1024, text: '\x10\x20\xf5\xf2' },
  { name: 'hfsplus', at: 1024, text: 'H+\0\x04' },
  { name: 'hfsplus', at: 1024, text: 'HX\0\x05' },
];

/** These lie so far in that the making of another system may have left them there. */
const FAR: readonly Signature[] = [
  { name: 'bcache', at: 4096 + 24, text: '\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81' },
  {
    name: 'bcachefs',
    at: 4096 + 24,
    text: '\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef',
    label: [4096 + 72, 32],
  },
  { name: 'hpfs', at: 8192, text: '\x49\xe8\x95\xf9', label: [43, 11] },
  { name: 'jfs', at: 32_768, text: 'JFS1', label: [32_768 + 152, 16] },
  { name: 'iso9660', at: 32_769, text: 'CD001', label: [32_808, 32] },
  { name: 'btrfs', at: 65_600, text: '_BHRfS_M', label: [65_835, 256] },
  { name: 'reiserfs', at: 65_588, text: 'ReIsEr2Fs', label: [65_636, 16] },
  { name: 'reiserfs', at: 65_588, text: 'ReIsEr3Fs', label: [65_636, 16] },
  { name: 'VMFS_volume_member', at: 1_048_576, text: '\x0d\xd0\x01\xc0' },
];

export const detectNearSignature = (volume: Volume) => detectOneOf(NEAR, volume);
export const detectFarSignature = (volume: Volume) => detectOneOf(FAR, volume);

async function detectOneOf(signatures: readonly Signature[], volume: Volume): Promise<FileSystemSignature | undefined> {
  for (const { name, at, text, label } of signatures) {
    const bytes = await readInside(volume, at, text.length);
    if (!bytes || !hasText(bytes, 0, text)) continue;
    const field = label && (await readInside(volume, ...label));
    return withLabel(name, field && labelText(field));
  }
  return undefined;
}
