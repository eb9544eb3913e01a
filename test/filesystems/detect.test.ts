import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { detectFileSystem } from '../../src/filesystems/detect.ts';
import { memorySource } from '../../src/lib/byte-source.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mabs-detect-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A volume with these texts (one byte a character) at these places. */
function aVolume(texts: Readonly<Record<number, string>>, sizeBytes = 2 * 1024 * 1024): Uint8Array {
  const volume = new Uint8Array(sizeBytes);
  for (const [at, text] of Object.entries(texts)) volume.set(Buffer.from(text, 'latin1'), Number(at));
  return volume;
}

const detect = (volume: Uint8Array) => detectFileSystem(memorySource(volume));

describe('what lies on a volume', () => {
  it.each([
    { name: 'BitLocker', texts: { 3: '-FVE-FS-' } },
    { name: 'BitLocker', texts: { 3: 'MSWIN4.1', 424: ';\xd6gI).\xd8J\x83\x99\xf6\xa39\xe3\xd0\x01' } },
    { name: 'crypto_LUKS', texts: { 0: 'LUKS\xba\xbe\0\x01' } },
    { name: 'crypto_LUKS', label: 'vault', texts: { 0: 'LUKS\xba\xbe\0\x02', 24: 'vault' } },
    { name: 'LVM2_member', texts: { 512: 'LABELONE', 536: 'LVM2 001' } },
    { name: 'linux_raid_member', texts: { 4096: '\xfc\x4e\x2b\xa9' } },
    { name: 'xfs', label: 'data', texts: { 0: 'XFSB', 108: 'data' } },
    { name: 'btrfs', label: 'pool', texts: { 65600: '_BHRfS_M', 65835: 'pool' } },
    { name: 'refs', texts: { 3: 'ReFS\0\0\0\0' } },
    { name: 'swap', label: 'SWAP', texts: { 4086: 'SWAPSPACE2', 1052: 'SWAP' } },
    { name: 'swap', texts: { 65526: 'SWAP-SPACE' } },
    { name: 'hpfs', label: 'OS2', texts: { 8192: '\x49\xe8\x95\xf9', 43: 'OS2        ' } },
    { name: 'iso9660', label: 'CDROM', texts: { 32769: 'CD001', 32808: 'CDROM   ' } },
    { name: 'zfs_member', texts: { 131072: '\x0c\xb1\xba\0\0\0\0\0' } },
    { name: 'squashfs', texts: { 0: 'hsqs' } },
    { name: 'bcache', texts: { 4120: '\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81' } },
    {
      name: 'bcachefs',
      label: 'tiers',
      texts: { 4120: '\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef', 4168: 'tiers' },
    },
  ])('is named $name by its signature', async ({ name, label, texts }) => {
    expect(await detect(aVolume(texts as Record<number, string>))).toEqual(label === undefined ? { name } : { name, label });
  });

  const fatBoot = { 0: '\xeb\x3c\x90MSDOS5.0\0\x02\x01\x01\0\x01', 21: '\xf8', 54: 'FAT16   ', 510: '\x55\xaa' };

  it.each([
    { made: 'FAT', over: 'swap', name: 'vfat', texts: { ...fatBoot, 65526: 'SWAPSPACE2' } },
    { made: 'FAT', over: 'a hibernated system', name: 'vfat', texts: { ...fatBoot, 4086: 'S1SUSPEND' } },
    { made: 'NTFS', over: 'swap', name: 'ntfs', texts: { 3: 'NTFS    ', 4086: 'SWAPSPACE2' } },
    { made: 'exFAT', over: 'swap', name: 'exfat', texts: { 3: 'EXFAT   ', 65526: 'SWAPSPACE2' } },
    { made: 'NTFS', over: 'btrfs', name: 'ntfs', texts: { 3: 'NTFS    ', 65600: '_BHRfS_M' } },
    { made: 'exFAT', over: 'JFS', name: 'exfat', texts: { 3: 'EXFAT   ', 32768: 'JFS1' } },
    { made: 'swap', over: 'zeros', name: 'swap', texts: { 4086: 'SWAPSPACE2' } },
    { made: 'LUKS', over: 'swap', name: 'crypto_LUKS', texts: { 0: 'LUKS\xba\xbe\0\x02', 65526: 'SWAPSPACE2' } },
    { made: 'HPFS', over: 'FAT', name: 'hpfs', texts: { ...fatBoot, 8192: '\x49\xe8\x95\xf9' } },
  ])('is named $name where $made was made over $over that was not wiped', async ({ name, texts }) => {
    expect(await detect(aVolume(texts as Record<number, string>))).toMatchObject({ name });
  });

  it('is nothing known on an empty, a tiny or a random volume', async () => {
    for (const volume of [new Uint8Array(0), new Uint8Array(3), new Uint8Array(100_000), new Uint8Array(5000).fill(0x5a)]) {
      expect(await detect(volume)).toBeUndefined();
    }
  });

  it.each([
    { tool: 'mkfs.ext2', words: ['-q', '-F', '-L', 'two'], expected: { name: 'ext2', label: 'two' } },
    { tool: 'mkfs.ext3', words: ['-q', '-F', '-L', 'three'], expected: { name: 'ext3', label: 'three' } },
    { tool: 'mkfs.ext4', words: ['-q', '-F'], expected: { name: 'ext4' } },
    { tool: 'mkntfs', words: ['-Q', '-F', '-q', '-L', 'Größe'], expected: { name: 'ntfs', label: 'Größe' } },
    { tool: 'mkfs.vfat', words: ['-n', 'FATTY'], expected: { name: 'vfat', label: 'FATTY' } },
    { tool: 'mkfs.vfat', words: ['-F', '32', '-n', 'FAT32'], expected: { name: 'vfat', label: 'FAT32' } },
    { tool: 'mkfs.exfat', words: ['-n', 'Wechsel'], expected: { name: 'exfat', label: 'Wechsel' } },
    { tool: 'mkswap', words: ['-L', 'swapped'], expected: { name: 'swap', label: 'swapped' } },
  ])('is recognised when $tool made it ($words)', async ({ tool, words, expected }) => {
    const path = join(folder, `${tool}${words.join('')}`.replaceAll('/', ''));
    await writeFile(path, '');
    await truncate(path, 48 * 1024 * 1024);
    const made = spawnSync(tool, [...words, path], { stdio: 'ignore' });
    if (made.error && process.env.MABS_REQUIRE_TOOLS !== '1') return; // not on this machine
    expect(made.status).toBe(0);
    expect(await detect(await readFile(path))).toEqual(expected);
  });

  it('is told without fail, whatever lies there', async () => {
    const heads = ['NTFS    ', 'EXFAT   ', 'MSDOS5.0'].map((oem) => {
      const volume = aVolume({ 3: oem, 510: '\x55\xaa' }, 70_000);
      volume.set([0xeb, 0x58, 0x90]);
      volume.set([0, 2, 1, 1, 0, 1, 0, 0, 0, 0, 0xf8], 11);
      return volume;
    });
    const patches = fc.array(fc.tuple(fc.nat(4096), fc.nat(255)), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...heads), patches, async (head, changes) => {
        const hostile = Uint8Array.from(head);
        for (const [at, byte] of changes) hostile[at] = byte;
        const found = await detect(hostile);
        expect(found === undefined || found.name.length > 0).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
