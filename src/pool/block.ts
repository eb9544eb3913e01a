/** Bytes in a digest: SHA-256, or HMAC-SHA-256 under the pool's id key where the pool is encrypted. */
export const DIGEST_BYTES = 32;

/** What a stored block holds. The number is the format's. */
export const BlockKind = { data: 1, mapPage: 2 } as const;
export type BlockKind = (typeof BlockKind)[keyof typeof BlockKind];

/** How a stored block is coded. The number is the format's; 3 is reserved for patches of a former block. */
export const Codec = { stored: 0, zstd: 1 } as const;
export type Codec = (typeof Codec)[keyof typeof Codec];

/** Where a block lies. */
export interface BlockLocation {
  /** The pack's object name. */
  readonly pack: string;
  /** Its number among the pack's blocks, from 0: part of the nonce and of what is authenticated. */
  readonly ordinal: number;
  /** Of the stored bytes in the pack. */
  readonly offset: number;
  readonly storedLength: number;
  readonly rawLength: number;
  readonly kind: BlockKind;
  readonly codec: Codec;
}

/** The keys of an opened pool as plain data, so that workers can be given them. A pool without encryption has none. */
export interface PoolKeys {
  /** For block ids, HMAC-SHA-256. */
  readonly id: Uint8Array;
  /** From which per-object sealing keys are derived. */
  readonly seal: Uint8Array;
}

/** Finds blocks that are already in the pool. Immutable once opened; safe to use from several threads, each with its own. */
export interface BlockIndex extends AsyncDisposable {
  /** Where the block with this digest lies; a miss is mostly answered by the filter without reading. */
  find(digest: Uint8Array): BlockLocation | undefined | Promise<BlockLocation | undefined>;
  /** Like `find`, but never a block that a mark has condemned: what a writer may re-use. */
  findReusable(digest: Uint8Array): BlockLocation | undefined | Promise<BlockLocation | undefined>;
  readonly entries: number;
}

/** Writes blocks into one pack after another, each sealed at about 64 MiB. One to a worker. */
export interface PackWriter {
  /** Adds a coded block (sealed here, where the pool is encrypted). The bytes may be re-used when this resolves. */
  add(digest: Uint8Array, block: { kind: BlockKind; codec: Codec; rawLength: number; coded: Uint8Array }): Promise<void>;
  /** Seals the open pack, if any. Answers all packs sealed since the last call, with what the index needs of them. */
  finish(): Promise<SealedPack[]>;
  /** Drops the open pack; sealed ones stay as garbage that a sweep removes. */
  abort(): Promise<void>;
  readonly storedBytes: number;
}

export interface SealedPack {
  readonly name: string;
  readonly sizeBytes: number;
  /** The entries of the pack's table: DIGEST_BYTES of digest, then as docs/formats/pool.md says. */
  readonly table: Uint8Array;
}

/** Reads blocks out of packs; keeps a bounded number of packs open. */
export interface PackReader extends AsyncDisposable {
  /** The raw block, verified against `digest`. MABS-BLOCK-DAMAGED names the pack and the offset. */
  read(digest: Uint8Array, location: BlockLocation): Promise<Uint8Array>;
}
