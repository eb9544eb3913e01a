import { ntfsDriver } from '../../src/filesystems/ntfs/ntfs-driver.ts';
import type { ByteRange } from '../../src/lib/byte-range.ts';
import type { FileSystemFuzzTarget, FileSystemSeed } from './file-system-fuzzer.ts';
import { fixtureVolume } from './fixture-volume.ts';

const RECORD_BYTES = 1024;
const BLOCK_BYTES = 4096;
const SECTOR_BYTES = 512;

/** An NTFS volume of 1.4 MB with links, streams, attribute lists, compression of both kinds and security descriptors. */
export const ntfsFuzzTarget: FileSystemFuzzTarget = {
  name: 'ntfs',
  driver: ntfsDriver,
  async seeds() {
    const volume = await fixtureVolume('ntfs-special');
    // No Buffer: a slice of one is no copy.
    const whole = new Uint8Array(volume.sizeBytes);
    await volume.read(0, whole);
    return [seedOf(whole)];
  },
};

function seedOf(volume: Uint8Array): FileSystemSeed {
  const records: ByteRange[] = [];
  for (let offset = SECTOR_BYTES; offset + RECORD_BYTES <= volume.length; offset += SECTOR_BYTES) {
    const signature = String.fromCharCode(...volume.subarray(offset, offset + 4));
    if (signature === 'FILE') records.push({ offset, length: RECORD_BYTES });
    if (signature === 'INDX') records.push({ offset, length: BLOCK_BYTES });
  }
  // The log is read as far as its restart pages; what comes first of all is spoiled oftener than the rest.
  const boot = { offset: 0, length: SECTOR_BYTES };
  return { name: 'special', bytes: volume, hotspots: [boot, ...records], fix: (spoiled) => redoFixups(spoiled, records) };
}

/** Puts the number of a record's update sequence array to the end of each of its sectors again. */
function redoFixups(volume: Uint8Array, records: readonly ByteRange[]): void {
  for (const { offset, length } of records) {
    const array = volume[offset + 4]! | (volume[offset + 5]! << 8);
    if (array + 2 > SECTOR_BYTES) continue;
    for (let end = offset + SECTOR_BYTES; end <= offset + length; end += SECTOR_BYTES)
      volume.copyWithin(end - 2, offset + array, offset + array + 2);
  }
}
