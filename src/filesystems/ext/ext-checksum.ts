import { crc32c } from '../../lib/crc32c.ts';

/** ext4 and its journal chain CRC-32C without the final inversion: `seed` is the state so far, ~0 to begin with. */
export function chainCrc32c(seed: number, bytes: Uint8Array): number {
  return ~crc32c(bytes, ~seed >>> 0) >>> 0;
}

/** CRC-16 (reflected, polynomial 8005h), as group descriptors without metadata_csum have it. `seed` continues an earlier result. */
export function crc16(seed: number, bytes: Uint8Array): number {
  let crc = seed;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  return crc;
}

/** CRC-32 (big-endian, polynomial 04C11DB7h), as the first checksums of commit blocks have it. `seed` continues an earlier result. */
export function crc32be(seed: number, bytes: Uint8Array): number {
  let crc = seed | 0;
  for (const byte of bytes) crc = (crc << 8) ^ BIG_ENDIAN[(crc >>> 24) ^ byte]!;
  return crc >>> 0;
}

const BIG_ENDIAN = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000_0000 ? (crc << 1) ^ 0x04c1_1db7 : crc << 1;
  return crc;
});

/** The number as four bytes, as checksums begin with it. */
export function le32(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24);
}
