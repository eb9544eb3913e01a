import { crc32 } from 'node:zlib';

/** What LVM2 begins with (`INITIAL_CRC`, lib/misc/crc.h). */
const INITIAL = 0xf597a6cf;

/** LVM2's checksum: CRC-32 with a beginning of its own and without the inversions that the usual one begins and ends with. */
export function lvmChecksum(bytes: Uint8Array): number {
  return ~crc32(bytes, ~INITIAL >>> 0) >>> 0;
}
