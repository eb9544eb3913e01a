import { describe, expect, it } from '@jest/globals';
import { openFileSystem } from '../../src/core/inside/open-file-system.ts';
import { fileSystems } from '../../src/filesystems/registry.ts';
import { memorySource } from '../../src/lib/byte-source.ts';

/** A volume with these texts (one byte a character) at these places. */
function aVolume(texts: Readonly<Record<number, string>>) {
  const volume = new Uint8Array(2 * 1024 * 1024);
  for (const [at, text] of Object.entries(texts)) volume.set(Buffer.from(text, 'latin1'), Number(at));
  return memorySource(volume);
}

describe('a volume that mabs does not read', () => {
  it.each([
    { texts: { 3: '-FVE-FS-' }, words: 'encrypted by BitLocker', hint: 'recovery key' },
    { texts: { 0: 'LUKS\xba\xbe\0\x01' }, words: 'encrypted by LUKS', hint: 'cryptsetup' },
    { texts: { 3: 'ReFS\0\0\0\0' }, words: 'holds ReFS', hint: 'Windows machine' },
    { texts: { 0: 'SPACEDB ' }, words: 'belongs to Storage Spaces', hint: 'all disks of the pool' },
    { texts: { 4096: '\xfc\x4e\x2b\xa9' }, words: 'member of a Linux RAID', hint: 'mdadm' },
    { texts: { 65600: '_BHRfS_M' }, words: 'holds Btrfs', hint: 'Linux machine' },
    { texts: { 131072: '\x0c\xb1\xba\0\0\0\0\0' }, words: 'member of a ZFS pool', hint: 'import the pool' },
    { texts: { 32: 'NXSB' }, words: 'holds APFS', hint: 'Mac' },
    { texts: { 4086: 'SWAPSPACE2' }, words: 'Linux swap space', hint: 'another volume' },
    { texts: { 512: 'LABELONE', 536: 'LVM2 001' }, words: 'physical volume of LVM', hint: '/lv/GROUP/VOLUME' },
    { texts: { 0: 'hsqs' }, words: 'holds SquashFS', hint: 'Recover the volume whole' },
    { texts: {}, words: 'nothing that is known', hint: 'Recover the volume whole' },
  ])('says that it $words, and what to do', async ({ texts, words, hint }) => {
    await expect(fileSystems.open(aVolume(texts as Record<number, string>))).rejects.toMatchObject({
      code: 'MABS-FS-UNSUPPORTED',
      message: expect.stringContaining(words),
      hint: expect.stringContaining(hint),
    });
  });

  it.each([
    { type: '42', words: 'Windows dynamic disk' },
    { type: 'AF9B60A0-1431-4F62-BC68-3311714A69AD', words: 'Windows dynamic disk' },
    { type: '5808C8AA-7E8F-42E0-85D2-E1E90434CFB3', words: 'Windows dynamic disk' },
    { type: 'E75CAF8F-F680-4CEE-AFA3-B001E56EFC2D', words: 'Storage Spaces' },
  ])('is named by its partition type $type, whatever lies at its start', async ({ type, words }) => {
    const volume = { ...aVolume({ 3: 'NTFS    ' }), address: '/p2', fileSystem: 'ntfs', type, place: () => [] };
    await expect(openFileSystem(fileSystems, volume)).rejects.toMatchObject({
      code: 'MABS-FS-UNSUPPORTED',
      message: expect.stringMatching(new RegExp(`^/p2: the volume belongs to (a )?${words}`)),
    });
  });
});
