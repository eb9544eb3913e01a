import { hasText, labelText, readInside, withLabel } from './probe.ts';
import type { FileSystemSignature, Volume } from './volume.ts';

/** BitLocker To Go hides behind a FAT boot sector; this GUID at 424 gives it away. */
const TO_GO_GUID = [0x3b, 0xd6, 0x67, 0x49, 0x29, 0x2e, 0xd8, 0x4a, 0x83, 0x99, 0xf6, 0xa3, 0x39, 0xe3, 0xd0, 0x01];

/** What wraps or joins volumes: BitLocker, LUKS, LVM2, Linux RAID. */
export async function detectContainer(volume: Volume): Promise<FileSystemSignature | undefined> {
  const head = await readInside(volume, 0, Math.min(4608, volume.sizeBytes));
  if (!head) return undefined;
  const toGo = hasText(head, 3, 'MSWIN4.1') && TO_GO_GUID.every((byte, index) => head[424 + index] === byte);
  if (hasText(head, 3, '-FVE-FS-') || toGo) return { name: 'BitLocker' };
  if (hasText(head, 0, 'LUKS\xba\xbe')) return withLabel('crypto_LUKS', head[7] === 2 ? labelText(head.subarray(24, 72)) : undefined);
  for (let sector = 0; sector < 4; sector++) {
    if (hasText(head, sector * 512, 'LABELONE') && hasText(head, sector * 512 + 24, 'LVM2 001')) return { name: 'LVM2_member' };
  }
  return detectLinuxRaid(volume, head);
}

/** Version 1.1 begins the volume, 1.2 lies at 4 KiB, 1.0 and 0.90 near its end. */
async function detectLinuxRaid(volume: Volume, head: Uint8Array): Promise<FileSystemSignature | undefined> {
  const isSuperblock = (bytes: Uint8Array | undefined, at = 0) => bytes !== undefined && hasText(bytes, at, '\xfc\x4e\x2b\xa9');
  const version10 = Math.floor((volume.sizeBytes / 512 - 16) / 8) * 8 * 512;
  const version090 = Math.floor(volume.sizeBytes / 65_536) * 65_536 - 65_536;
  const found =
    isSuperblock(head) ||
    isSuperblock(head, 4096) ||
    isSuperblock(await readInside(volume, version10, 4)) ||
    isSuperblock(await readInside(volume, version090, 4));
  return found ? { name: 'linux_raid_member' } : undefined;
}
