import { ascii, struct, u16be } from '../../lib/struct.ts';
import { EXTENT_SIZE, type Extent, extentAt } from './extent.ts';
import type { Fork } from './inode.ts';
import { damaged } from './xfs-damage.ts';
import type { XfsVolume } from './xfs-volume.ts';

/** Head of a block of the tree (XFS Algorithms & Data Structures, B+tree Extent List); version 5 adds to its length. */
const NODE = struct(24, { magic: ascii(0, 4), level: u16be(4), count: u16be(6) });
const NODE_5_SIZE = 72;
const NODE_5_FIELDS = { checksumAt: 64, blockAt: 24 };
/** Head of the root, which lies in the inode. */
const ROOT = struct(4, { level: u16be(0), count: u16be(2) });
/** `XFS_BM_MAXLEVELS` is 9 for the smallest blocks. */
const MAX_LEVEL = 12;

/** Blocks of a file: from `start` up to, not including, `end`. */
interface Window {
  readonly start: number;
  readonly end: number;
}

/** Where the blocks of a fork lie, whether it lists them or keeps them in a tree. */
export class ExtentMap {
  readonly #volume: XfsVolume;
  readonly #fork: Fork;
  readonly #what: string;

  constructor(volume: XfsVolume, fork: Fork, what: string) {
    this.#volume = volume;
    this.#fork = fork;
    this.#what = what;
  }

  /**
   * The extents that touch blocks `start` to `end`, ascending. Each part of a tree has to lie where its parent says, and has to hold
   * something: so a tree that leads back to itself ends, and no block is read twice.
   */
  async *within(start: number, end: number): AsyncGenerator<Extent> {
    const window = { start, end };
    const { format, bytes, extents } = this.#fork;
    if (format === 'btree') yield* this.#root(bytes, window);
    else if (format === 'extents') {
      if (extents * EXTENT_SIZE > bytes.length) throw damaged(`${this.#what} claims ${extents} extents in ${bytes.length} bytes`);
      yield* this.#records(bytes, 0, extents, window, { start: 0, end: Number.MAX_SAFE_INTEGER });
    } else throw damaged(`${this.#what} has no extents`);
  }

  async *#root(bytes: Uint8Array, window: Window): AsyncGenerator<Extent> {
    if (bytes.length < ROOT.size) throw damaged(`${this.#what}: no room for its tree`);
    const { level, count } = ROOT.read(bytes);
    const most = Math.floor((bytes.length - ROOT.size) / EXTENT_SIZE);
    if (level === 0 || level > MAX_LEVEL || count > most) throw damaged(`${this.#what}: the root of its tree is wrong`);
    yield* this.#children(bytes, { at: ROOT.size, level, count, most }, window, { start: 0, end: Number.MAX_SAFE_INTEGER });
  }

  /** `at`: where the keys begin; the pointers follow the room for `most` keys. `bounds`: what the node may speak of. */
  async *#children(
    bytes: Uint8Array,
    { at, level, count, most }: { at: number; level: number; count: number; most: number },
    window: Window,
    bounds: Window,
  ): AsyncGenerator<Extent> {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const key = (index: number) => Number(view.getBigUint64(at + index * 8));
    for (let index = 0; index < count; index++) {
      const next = index + 1 < count ? key(index + 1) : bounds.end;
      const range = { start: key(index), end: next };
      if (range.start < bounds.start || range.start >= range.end || range.end > bounds.end)
        throw damaged(`${this.#what}: its tree is out of order`);
      if (range.end <= window.start) continue;
      if (range.start >= window.end) return;
      const pointer = Number(view.getBigUint64(at + most * 8 + index * 8));
      yield* this.#node(pointer, level - 1, window, range);
    }
  }

  async *#node(pointer: number, level: number, window: Window, bounds: Window): AsyncGenerator<Extent> {
    const { blockSize, version } = this.#volume.superblock;
    const what = `${this.#what}: block ${pointer} of its tree`;
    const position = this.#volume.runAt(pointer, 1, what).block * blockSize;
    const bytes = await this.#volume.bytesAt(position, blockSize);
    const node = NODE.read(bytes);
    const size = version === 5 ? NODE_5_SIZE : NODE.size;
    if (node.magic !== (version === 5 ? 'BMA3' : 'BMAP') || node.level !== level || node.count === 0) throw damaged(`${what} is none`);
    this.#volume.check(bytes, NODE_5_FIELDS, position, what);
    const most = Math.floor((blockSize - size) / EXTENT_SIZE);
    if (node.count > most) throw damaged(`${what} claims too much`);
    if (level === 0) yield* this.#records(bytes, size, node.count, window, bounds);
    else yield* this.#children(bytes, { at: size, level, count: node.count, most }, window, bounds);
  }

  *#records(bytes: Uint8Array, at: number, count: number, window: Window, bounds: Window): Generator<Extent> {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    let least = bounds.start;
    for (let index = 0; index < count; index++) {
      const extent = extentAt(view, at + index * EXTENT_SIZE);
      const end = extent.start + extent.count;
      if (extent.start < least || extent.count === 0 || end > bounds.end) throw damaged(`${this.#what}: its extents are out of order`);
      least = end;
      if (end <= window.start) continue;
      if (extent.start >= window.end) return;
      yield extent;
    }
  }
}
