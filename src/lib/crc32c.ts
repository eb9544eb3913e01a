/** CRC-32C (Castagnoli, reflected), as VHDX, iSCSI and ext4 use it. `seed` continues an earlier result. */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  tables ??= makeTables();
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables;
  const wholeEights = bytes.length - (bytes.length % 8);
  let crc = ~seed;
  let at = 0;
  // Eight bytes a step, each through the table that has already shifted it to its place ("slicing by 8").
  for (; at < wholeEights; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      t7[crc & 255]! ^
      t6[(crc >>> 8) & 255]! ^
      t5[(crc >>> 16) & 255]! ^
      t4[crc >>> 24]! ^
      t3[bytes[at + 4]!]! ^
      t2[bytes[at + 5]!]! ^
      t1[bytes[at + 6]!]! ^
      t0[bytes[at + 7]!]!;
  }
  for (; at < bytes.length; at++) crc = t0[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** CRC-32C of a structure that holds its own checksum as four bytes at `checksumAt`, which count as zero. */
export function crc32cWithout(bytes: Uint8Array, checksumAt: number): number {
  const before = crc32c(bytes.subarray(0, checksumAt));
  return crc32c(bytes.subarray(checksumAt + 4), crc32c(FOUR_ZEROS, before));
}

type Tables = [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];

const POLYNOMIAL = 0x82f63b78;
const FOUR_ZEROS = new Uint8Array(4);
let tables: Tables | undefined;

function makeTables(): Tables {
  const made = Array.from({ length: 8 }, () => new Int32Array(256)) as Tables;
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    made[0][byte] = crc;
  }
  for (let step = 1; step < 8; step++) {
    for (let byte = 0; byte < 256; byte++) {
      const former = made[step - 1]![byte]!;
      made[step]![byte] = made[0][former & 255]! ^ (former >>> 8);
    }
  }
  return made;
}
