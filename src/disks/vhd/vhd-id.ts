/** A unique id as the format keeps it, sixteen bytes in the order in which they are written: lower case with hyphens. */
export function idFromBytes(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The sixteen bytes of an id that `parseGuid` knows. */
export function idToBytes(id: string): Uint8Array {
  return Buffer.from(id.replaceAll('-', ''), 'hex');
}

/** Times are seconds since 2000-01-01T00:00:00Z, in 32 bits. */
export function vhdTime(milliseconds: number): number {
  return Math.min(Math.max(0, Math.floor((milliseconds - Date.UTC(2000, 0, 1)) / 1000)), 0xffffffff);
}
