import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fuzzBytes } from '../../test/builders/byte-fuzzer.ts';
import { fuzzCompression } from '../../test/builders/compression-fuzzer.ts';
import { type FuzzReport, type FuzzTarget, fuzzDisks } from '../../test/builders/disk-fuzzer.ts';
import { exfatFuzzTarget } from '../../test/builders/exfat-fuzz-target.ts';
import { extFuzzTarget } from '../../test/builders/ext-fuzz-target.ts';
import { fatFuzzTarget } from '../../test/builders/fat-fuzz-target.ts';
import { type FileSystemFuzzTarget, fuzzFileSystem } from '../../test/builders/file-system-fuzzer.ts';
import { lvmFuzzTarget } from '../../test/builders/lvm-fuzz-target.ts';
import { ntfsFuzzTarget } from '../../test/builders/ntfs-fuzz-target.ts';
import { registryFuzzSamples } from '../../test/builders/registry-fuzz-samples.ts';
import { volumesFuzzTarget } from '../../test/builders/volumes-fuzz-target.ts';
import { xfsFuzzTarget } from '../../test/builders/xfs-fuzz-target.ts';

/** Something that is spoiled and read, any number of times; the same seed does the same again. */
export interface Campaign {
  readonly name: string;
  fuzz(options: { readonly seed: number; readonly rounds: number }): Promise<FuzzReport>;
}

const ofSystem = (target: FileSystemFuzzTarget): Campaign => ({ name: target.name, fuzz: (options) => fuzzFileSystem(target, options) });
/** A target of disk images, in a folder that is made for it and removed. */
export const diskCampaign = (target: FuzzTarget): Campaign => ({
  name: target.name,
  async fuzz(options) {
    const folder = await mkdtemp(join(tmpdir(), 'mabs-fuzz-'));
    try {
      return await fuzzDisks(target, folder, options);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
});

/** Every parser of what lies inside a disk: file systems, what NTFS compresses, volume groups, partition tables, the registry. */
export const CAMPAIGNS: readonly Campaign[] = [
  ...[extFuzzTarget, exfatFuzzTarget, fatFuzzTarget, ntfsFuzzTarget, xfsFuzzTarget].map(ofSystem),
  { name: 'compression', fuzz: fuzzCompression },
  { name: 'registry', fuzz: (options) => fuzzBytes(registryFuzzSamples(), options) },
  ...[lvmFuzzTarget, volumesFuzzTarget].map(diskCampaign),
];
