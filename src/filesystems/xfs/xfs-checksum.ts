import { crc32cWithout } from '../../lib/crc32c.ts';

/**
 * Whether a structure of version 5 bears its own checksum, which stands at `at` in little-endian order among fields that are all
 * big-endian (XFS Algorithms & Data Structures, Self-Describing Metadata).
 */
export function hasOwnChecksum(bytes: Uint8Array, at: number): boolean {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true) === crc32cWithout(bytes, at);
}
