/** Classes of sealed pieces in a pack: part of nonce and of what is authenticated. */
export const PackPiece = { block: 1, table: 2 } as const;
export type PackPiece = (typeof PackPiece)[keyof typeof PackPiece];

/** What a sealed piece is about: pool, pack, class, and the block's ordinal (for the table: the number of blocks). */
export function blockAbout(poolId: Uint8Array, packKey: Uint8Array, piece: PackPiece, number: number): Uint8Array {
  const about = new Uint8Array(40);
  about.set(poolId, 0);
  about.set(packKey, 16);
  const view = new DataView(about.buffer);
  view.setUint32(32, piece, true);
  view.setUint32(36, number, true);
  return about;
}
