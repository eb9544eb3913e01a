import { crc32 } from 'node:zlib';
import { alignedBuffer } from '../lib/aligned-buffer.ts';
import type { Random } from '../lib/random.ts';
import type { BlobStore, BlobWriter } from '../stores/blob-store.ts';
import type { BlockKind, Codec, PackWriter, PoolKeys, SealedPack } from './block.ts';
import {
  CHECK_ENTRY_BYTES,
  encodePackHeader,
  encodePackTrailer,
  MAX_BLOCKS_IN_PACK,
  MAX_RAW_LENGTH,
  PACK_HEADER_BYTES,
  PACK_KEY_BYTES,
  packName,
  TABLE_ENTRY_BYTES,
  writeTableEntry,
} from './pack-format.ts';
import { blockAbout, PackPiece } from './pack-sealing.ts';
import { deriveObjectKey, pieceNonce, sealInto, TAG_BYTES } from './sealing.ts';

/** A pack is sealed once it has grown to this. */
export const PACK_TARGET_BYTES = 64 * 1024 * 1024;
const BUFFER_BYTES = 4 * 1024 * 1024;

export interface PackWriterOptions {
  readonly store: BlobStore;
  readonly poolId: Uint8Array;
  readonly keys: PoolKeys | undefined;
  /** The epoch that the run holds. */
  readonly epoch: number;
  readonly random: Random;
  readonly targetBytes?: number;
}

/** A pack being written: what its table, check table and trailer will say. */
interface OpenPack {
  readonly blob: BlobWriter;
  /** Resolves when everything handed to the blob so far is written. */
  written: Promise<void>;
  readonly packKey: Uint8Array;
  readonly key: Uint8Array | undefined;
  readonly headerCrc: number;
  table: Uint8Array;
  check: Uint8Array;
  blockCount: number;
  /** Of the file, buffered bytes included. */
  sizeBytes: number;
}

/**
 * Writes blocks into packs of about 64 MiB, in appends of some 4 MiB from two page-aligned buffers: one is filled while the other is
 * being written, and a full pack is made durable while the next one is begun. A failure is thrown by whichever call comes next.
 */
export function createPackWriter(options: PackWriterOptions): PackWriter {
  return new StorePackWriter(options);
}

class StorePackWriter implements PackWriter {
  storedBytes = 0;
  readonly #options: PackWriterOptions;
  #buffer = alignedBuffer(BUFFER_BYTES);
  /** Being written, or free once `#writing` has resolved. */
  #other: Uint8Array<SharedArrayBuffer> | undefined;
  #filled = 0;
  #pack: OpenPack | undefined;
  #writing: Promise<void> = Promise.resolve();
  #sealing: Promise<void> = Promise.resolve();
  /** Packs that are neither sealed nor dropped. */
  readonly #blobs = new Set<BlobWriter>();
  #sealed: SealedPack[] = [];

  constructor(options: PackWriterOptions) {
    this.#options = options;
  }

  async add(digest: Uint8Array, block: { kind: BlockKind; codec: Codec; rawLength: number; coded: Uint8Array }): Promise<void> {
    const { coded, rawLength } = block;
    if (rawLength > MAX_RAW_LENGTH || coded.length > MAX_RAW_LENGTH) throw new Error(`a block of ${rawLength} bytes is too long`);
    this.#pack ??= await this.#begin();
    const pack = this.#pack;
    if (this.#filled + coded.length + TAG_BYTES > BUFFER_BYTES) await this.#flush(pack);
    const storedLength = this.#place(pack, coded);
    const stored = this.#buffer.subarray(this.#filled, this.#filled + storedLength);
    this.#note(pack, { digest, rawLength, storedLength, kind: block.kind, codec: block.codec }, crc32(stored));
    this.#filled += storedLength;
    pack.sizeBytes += storedLength;
    this.storedBytes += storedLength;
    const full = pack.sizeBytes >= (this.#options.targetBytes ?? PACK_TARGET_BYTES) || pack.blockCount >= MAX_BLOCKS_IN_PACK;
    if (full) await this.#seal(pack);
  }

  async finish(): Promise<SealedPack[]> {
    if (this.#pack) await this.#seal(this.#pack);
    await this.#sealing;
    const sealed = this.#sealed;
    this.#sealed = [];
    return sealed;
  }

  async abort(): Promise<void> {
    this.#pack = undefined;
    this.#filled = 0;
    await Promise.allSettled([this.#writing, this.#sealing]);
    for (const blob of this.#blobs) await blob.abort();
    this.#blobs.clear();
  }

  async #begin(): Promise<OpenPack> {
    const { store, poolId, keys, epoch, random } = this.#options;
    const packKey = new Uint8Array(PACK_KEY_BYTES);
    new DataView(packKey.buffer).setUint32(0, epoch, true);
    packKey.set(random.bytes(PACK_KEY_BYTES - 4), 4);
    const salt = random.bytes(32);
    const header = encodePackHeader({ sealed: keys !== undefined, poolId, packKey, salt });
    const blob = await store.create(packName(packKey));
    this.#blobs.add(blob);
    this.#buffer.set(header, 0);
    this.#filled = header.length;
    return {
      blob,
      written: Promise.resolve(),
      packKey,
      key: keys && deriveObjectKey(keys.seal, salt, 'mabs 1 pack'),
      headerCrc: header.readUInt32LE(PACK_HEADER_BYTES - 4),
      table: new Uint8Array(512 * TABLE_ENTRY_BYTES),
      check: new Uint8Array(512 * CHECK_ENTRY_BYTES),
      blockCount: 0,
      sizeBytes: PACK_HEADER_BYTES,
    };
  }

  /** Puts a block's stored bytes into the buffer, where they are room for; answers their length. */
  #place(pack: OpenPack, coded: Uint8Array): number {
    if (!pack.key) {
      this.#buffer.set(coded, this.#filled);
      return coded.length;
    }
    const about = blockAbout(this.#options.poolId, pack.packKey, PackPiece.block, pack.blockCount);
    return sealInto(pack.key, pieceNonce(PackPiece.block, pack.blockCount), about, coded, this.#buffer, this.#filled);
  }

  #note(pack: OpenPack, entry: Parameters<typeof writeTableEntry>[2], crc: number): void {
    if ((pack.blockCount + 1) * TABLE_ENTRY_BYTES > pack.table.length) {
      pack.table = grown(pack.table);
      pack.check = grown(pack.check);
    }
    writeTableEntry(pack.table, pack.blockCount, entry);
    const view = new DataView(pack.check.buffer, pack.blockCount * CHECK_ENTRY_BYTES, CHECK_ENTRY_BYTES);
    view.setUint32(0, entry.storedLength, true);
    view.setUint32(4, crc, true);
    pack.blockCount += 1;
  }

  /** Hands the buffer to the pack and takes the other one, once that is free. */
  async #flush(pack: OpenPack): Promise<void> {
    if (this.#filled === 0) return;
    const full = this.#buffer.subarray(0, this.#filled);
    await this.#writing;
    pack.written = pack.written.then(() => pack.blob.append(full));
    this.#writing = noted(pack.written);
    const free = this.#other ?? alignedBuffer(BUFFER_BYTES);
    this.#other = this.#buffer;
    this.#buffer = free;
    this.#filled = 0;
  }

  async #seal(pack: OpenPack): Promise<void> {
    await this.#flush(pack);
    const { poolId } = this.#options;
    const { packKey, key, blockCount } = pack;
    const check = pack.check.subarray(0, blockCount * CHECK_ENTRY_BYTES);
    const table = pack.table.slice(0, blockCount * TABLE_ENTRY_BYTES);
    let storedTable = table;
    if (key) {
      storedTable = new Uint8Array(table.length + TAG_BYTES);
      sealInto(key, pieceNonce(PackPiece.table, 0), blockAbout(poolId, packKey, PackPiece.table, blockCount), table, storedTable, 0);
    }
    const trailer = encodePackTrailer({
      sealed: key !== undefined,
      poolId,
      packKey,
      blockCount,
      headerCrc: pack.headerCrc,
      checkOffset: pack.sizeBytes,
      checkCrc: crc32(check),
      tableOffset: pack.sizeBytes + check.length,
      tableLength: storedTable.length,
      tableCrc: crc32(storedTable),
    });
    this.#pack = undefined;
    await this.#sealing;
    this.#sealing = noted(this.#close(pack, [check, storedTable, trailer], table));
  }

  async #close({ blob, written }: OpenPack, parts: readonly Uint8Array[], table: Uint8Array): Promise<void> {
    await written;
    for (const part of parts) await blob.append(part);
    await blob.seal();
    this.#blobs.delete(blob);
    this.#sealed.push({ name: blob.name, sizeBytes: blob.sizeBytes, table });
  }
}

/** The same promise, whose failure is told to whoever awaits it later and to no one else. */
function noted(promise: Promise<void>): Promise<void> {
  promise.catch(() => {});
  return promise;
}

function grown(bytes: Uint8Array): Uint8Array {
  const larger = new Uint8Array(bytes.length * 2);
  larger.set(bytes);
  return larger;
}
