import type { ByteRange } from '../../lib/byte-range.ts';
import { MabsError } from '../../lib/errors.ts';
import { BITMAP_BLOCK_SIZE, type BlockLayout, batIndexOf, bitmapBatIndexOf } from './block-layout.ts';
import type { Page, PageCache } from './page-cache.ts';
import { MIB } from './vhdx-units.ts';

/** MS-VHDX 2.5.1.1, payload block states; 5 is what drafts of the format wrote for unmapped. */
export const BlockState = {
  notPresent: 0,
  undefined: 1,
  zero: 2,
  unmapped: 3,
  unmappedInDrafts: 5,
  fullyPresent: 6,
  partiallyPresent: 7,
} as const;
/** MS-VHDX 2.5.1.2, sector bitmap block states. */
const BITMAP_PRESENT = 6;

const ENTRY_SIZE = 8;
const MEBIBYTES_IN_LOW_WORD = 12;
/** Positions from here on are above 2^53. */
const MAX_MEBIBYTES = 2 ** 33;

/** An entry of the table: a block's state and where it lies in the file. */
export interface BlockEntry {
  readonly state: number;
  /** Meaningful for blocks that are present. */
  readonly position: number;
}

export class VhdxBlockError extends MabsError {
  readonly code = 'MABS-VHDX-BLOCK';
  readonly hint =
    'The block allocation table of the image is damaged or the file was cut off: recover this disk from its newest recovery point.';
  override readonly kind = 'damaged';
  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`);
  }
}

/** The block allocation table, read by pages; every entry is judged before it is handed out. */
export class BlockTable {
  readonly #path: string;
  readonly #pages: PageCache;
  readonly #region: ByteRange;
  readonly #layout: BlockLayout;
  readonly #occupied: readonly ByteRange[];
  readonly #fileSize: () => number;

  /** `occupied`: what no block may overlap. `fileSize`: as it is now, for files that grow. */
  constructor(table: {
    readonly path: string;
    readonly pages: PageCache;
    readonly region: ByteRange;
    readonly layout: BlockLayout;
    readonly occupied: readonly ByteRange[];
    readonly fileSize: () => number;
  }) {
    const { path, pages, region, layout, occupied, fileSize } = table;
    if (layout.entries * ENTRY_SIZE > region.length) {
      throw new VhdxBlockError(
        path,
        `its block allocation table has room for ${region.length / ENTRY_SIZE} blocks but needs ${layout.entries}`,
      );
    }
    [this.#path, this.#pages, this.#region, this.#layout] = [path, pages, region, layout];
    [this.#occupied, this.#fileSize] = [occupied, fileSize];
  }

  /** The entry of a payload block. */
  payload(block: number): BlockEntry | Promise<BlockEntry> {
    const at = this.#positionOf(batIndexOf(block, this.#layout.blocksPerChunk));
    const page = this.#pages.peek(at);
    return page ? this.#judgedPayload(block, page, at) : this.#pages.load(at).then((loaded) => this.#judgedPayload(block, loaded, at));
  }

  /** Where the sector bitmap block of a payload block's chunk lies; `undefined` when there is none. */
  async bitmapPosition(block: number): Promise<number | undefined> {
    const at = this.#positionOf(bitmapBatIndexOf(block, this.#layout.blocksPerChunk));
    const { state, position } = this.#entryIn(await this.#pages.load(at), at);
    if (state === 0) return undefined;
    if (state !== BITMAP_PRESENT)
      throw new VhdxBlockError(this.#path, `the sector bitmap of block ${block} has the unknown state ${state}`);
    this.#checkPlace(`the sector bitmap of block ${block}`, position, BITMAP_BLOCK_SIZE);
    return position;
  }

  async setPayload(block: number, entry: BlockEntry): Promise<void> {
    await this.#set(batIndexOf(block, this.#layout.blocksPerChunk), entry);
  }

  async setBitmap(block: number, position: number): Promise<void> {
    await this.#set(bitmapBatIndexOf(block, this.#layout.blocksPerChunk), { state: BITMAP_PRESENT, position });
  }

  #judgedPayload(block: number, page: Page, at: number): BlockEntry {
    const entry = this.#entryIn(page, at);
    if (entry.state === 4) throw new VhdxBlockError(this.#path, `block ${block} has the unknown state 4`);
    if (entry.state >= BlockState.fullyPresent) {
      // Some writers end the file with the virtual disk, inside the last block: what lies past the disk is nobody's.
      const { blockSize, virtualSize } = this.#layout;
      this.#checkPlace(`block ${block}`, entry.position, Math.min(blockSize, virtualSize - block * blockSize));
    }
    return entry;
  }

  #entryIn(page: Page, at: number): BlockEntry {
    const low = page.view.getUint32(at - page.position, true);
    const mebibytes = page.view.getUint32(at - page.position + 4, true) * 2 ** MEBIBYTES_IN_LOW_WORD + (low >>> 20);
    return { state: low & 7, position: Math.min(mebibytes, MAX_MEBIBYTES) * MIB };
  }

  #checkPlace(what: string, position: number, length: number): void {
    const end = position + length;
    if (end > this.#fileSize()) throw new VhdxBlockError(this.#path, `${what} lies at ${position}, past the end of the file`);
    const overlaps = this.#occupied.some((range) => position < range.offset + range.length && end > range.offset);
    if (overlaps) throw new VhdxBlockError(this.#path, `${what} lies at ${position}, inside the image's own structures`);
  }

  async #set(index: number, { state, position }: BlockEntry): Promise<void> {
    const at = this.#positionOf(index);
    const page = await this.#pages.load(at);
    const mebibytes = position / MIB;
    page.view.setUint32(at - page.position, (((mebibytes % 2 ** MEBIBYTES_IN_LOW_WORD) << 20) | state) >>> 0, true);
    page.view.setUint32(at - page.position + 4, Math.floor(mebibytes / 2 ** MEBIBYTES_IN_LOW_WORD), true);
    this.#pages.markDirty(page, at, ENTRY_SIZE);
  }

  #positionOf(index: number): number {
    return this.#region.offset + index * ENTRY_SIZE;
  }
}

/** The eight bytes of an entry, for tables that are written whole. */
export function encodeBlockEntry({ state, position }: BlockEntry): bigint {
  return BigInt(position) | BigInt(state);
}
