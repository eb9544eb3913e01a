/** The hash that directories and attributes are sorted by (XFS Algorithms & Data Structures, Hash Entries): 32 bits, seven a byte. */
export function nameHash(name: Uint8Array): number {
  let hash = 0;
  for (const byte of name) hash = (byte ^ ((hash << 7) | (hash >>> 25))) >>> 0;
  return hash >>> 0;
}
