export const KIB = 1024;
export const MIB = 1024 * KIB;
export const TIB = MIB * MIB;

/** The largest virtual disk that the format has (MS-VHDX 2.6.2.2). */
export const MAX_VIRTUAL_SIZE = 64 * TIB;

/** Whether a position or length is a multiple of 1 MiB, as VHDX wants of regions and blocks. */
export function isWholeMegabytes(bytes: number): boolean {
  return bytes % MIB === 0;
}

/** Rounded up to a multiple of `unit`. */
export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
