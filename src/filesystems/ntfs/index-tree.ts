import { MabsError } from '../../lib/errors.ts';
import type { FileContent } from '../file-system.ts';
import { ATTRIBUTE } from './attributes.ts';
import { type IndexEntry, parseIndexBlock, parseIndexRoot } from './index-node.ts';
import { damaged } from './ntfs-damage.ts';
import { findAttribute, type NtfsFile } from './ntfs-file.ts';
import type { RecordReader } from './record-reader.ts';
import { openAttribute } from './stream-content.ts';

/** Blocks are counted in clusters, or where clusters are larger than blocks in these. */
const SMALL_UNIT = 512;
/** A tree of ten million names has five levels. */
const MOST_LEVELS = 24;
/** Of a damaged index: blocks that are looked for, as bits, and how many of them may be damaged before the search ends. */
const MOST_BITMAP_BYTES = 64 * 1024;
const MOST_FAILURES = 64;
/** Of the blocks that were visited, as bits: this many to a piece. */
const VISITED_PIECE = 4096;

/** What a search makes of an entry with a key: whether what is looked for may stand before it, is it, or may stand after it. */
export interface Verdict {
  readonly before: boolean;
  readonly after: boolean;
}

/** An index: a B-tree whose root stands in the file's record and whose other nodes are blocks of an attribute (libfsntfs, 12 Index). */
export class IndexTree {
  readonly #root: readonly IndexEntry[];
  readonly #blocks: FileContent | undefined;
  readonly #bitmap: FileContent | undefined;
  readonly #blockSize: number;
  /** Bytes by which blocks are numbered. */
  readonly #unit: number;
  readonly #what: string;

  private constructor(
    root: { readonly entries: readonly IndexEntry[]; readonly blockSize: number },
    blocks: FileContent | undefined,
    bitmap: FileContent | undefined,
    clusterSize: number,
    what: string,
  ) {
    this.#root = root.entries;
    this.#blocks = blocks;
    this.#bitmap = bitmap;
    this.#blockSize = root.blockSize;
    this.#unit = root.blockSize >= clusterSize ? clusterSize : SMALL_UNIT;
    this.#what = what;
  }

  /** The index of this name (`$I30` for file names) of a file; rejects with kind `damaged` where there is none. */
  static async open(table: RecordReader, file: NtfsFile, name: string): Promise<IndexTree> {
    const what = `the index ${name} of file record ${file.record.number}`;
    const root = findAttribute(file, ATTRIBUTE.indexRoot, name);
    if (root?.value === undefined) throw damaged(`${what} is missing`);
    const parsed = parseIndexRoot(root.value, what);
    const { blockSize } = parsed;
    if (blockSize < 512 || blockSize > 65_536 || (blockSize & (blockSize - 1)) !== 0)
      throw damaged(`${what} has blocks of ${blockSize} bytes`);
    const [blocks, bitmap] = await Promise.all(
      [ATTRIBUTE.indexAllocation, ATTRIBUTE.bitmap].map(async (type) => {
        const attribute = findAttribute(file, type, name);
        return attribute && (await openAttribute(table, file, attribute));
      }),
    );
    return new IndexTree(parsed, blocks, bitmap, table.geometry.clusterSize, what);
  }

  /** Every entry with a key, in order. A damaged block does not hide those that follow: it is told at the end. */
  async *entries(): AsyncGenerator<IndexEntry> {
    const visited = new VisitedBlocks();
    const path = [{ entries: this.#root, next: 0, isEntered: false }];
    let problem: unknown;
    for (let node = path.at(-1); node; node = path.at(-1)) {
      const entry = node.entries[node.next];
      if (!entry) {
        path.pop();
        continue;
      }
      if (!node.isEntered && entry.child !== undefined) {
        node.isEntered = true;
        try {
          if (path.length >= MOST_LEVELS || !visited.add(entry.child)) throw damaged(`${this.#what} runs in a circle`);
          path.push({ entries: await this.#block(entry.child), next: 0, isEntered: false });
        } catch (error) {
          if (!(error instanceof MabsError && error.kind === 'damaged')) throw error;
          problem ??= error;
        }
        continue;
      }
      node.next += 1;
      node.isEntered = false;
      if (entry.key !== undefined) yield entry;
    }
    if (problem === undefined) return;
    yield* this.#stranded(visited);
    throw problem;
  }

  /** After damage: the entries of blocks that are in use as the index's own bitmap says, and to which no other block led. */
  async *#stranded(visited: VisitedBlocks): AsyncGenerator<IndexEntry> {
    const bitmap = new Uint8Array(Math.min(this.#bitmap?.sizeBytes ?? 0, MOST_BITMAP_BYTES));
    await this.#bitmap?.read(0, bitmap);
    const step = this.#blockSize / this.#unit;
    let failures = 0;
    for (let index = 0; index < bitmap.length * 8 && failures < MOST_FAILURES; index += 1) {
      if ((bitmap[index >> 3]! & (1 << (index & 7))) === 0 || !visited.add(index * step)) continue;
      try {
        for (const entry of await this.#block(index * step)) if (entry.key !== undefined) yield entry;
      } catch (error) {
        if (!(error instanceof MabsError && error.kind === 'damaged')) throw error;
        failures += 1;
      }
    }
  }

  /**
   * The first entry that `isIt`, going down only where it may stand: `judge` says so of each entry with a key. `prepare` is called
   * with a node's keys before they are judged.
   */
  async search(
    judge: (entry: IndexEntry) => Verdict,
    isIt: (entry: IndexEntry) => boolean,
    prepare: (entries: readonly IndexEntry[]) => Promise<void> = async () => {},
  ): Promise<IndexEntry | undefined> {
    const visited = new VisitedBlocks();
    // Blocks are read when it is their turn: a hostile node may name thousands.
    const todo: { readonly block: number | undefined; readonly level: number }[] = [{ block: undefined, level: 1 }];
    for (let node = todo.pop(); node; node = todo.pop()) {
      const { block, level } = node;
      const entries = block === undefined ? this.#root : await this.#block(block);
      await prepare(entries);
      const children: number[] = [];
      for (const entry of entries) {
        const { before, after } = entry.key === undefined ? { before: true, after: false } : judge(entry);
        if (entry.key !== undefined && before && after && isIt(entry)) return entry;
        if (before && entry.child !== undefined) children.push(entry.child);
        if (!after) break;
      }
      for (const child of children) {
        if (level >= MOST_LEVELS || !visited.add(child)) throw damaged(`${this.#what} runs in a circle`);
        todo.push({ block: child, level: level + 1 });
      }
    }
    return undefined;
  }

  async #block(number: number): Promise<IndexEntry[]> {
    const bytes = new Uint8Array(this.#blockSize);
    const offset = number * this.#unit;
    if (!this.#blocks || !(offset + bytes.length <= this.#blocks.sizeBytes)) throw damaged(`${this.#what} names a block past its end`);
    await this.#blocks.read(offset, bytes);
    return parseIndexBlock(bytes, number, this.#what);
  }
}

/** Which blocks were seen, in little memory whatever their numbers are. */
class VisitedBlocks {
  readonly #pieces = new Map<number, Uint8Array>();

  /** Whether it was not there. */
  add(number: number): boolean {
    const key = Math.floor(number / VISITED_PIECE);
    const piece = this.#pieces.get(key) ?? new Uint8Array(VISITED_PIECE / 8);
    this.#pieces.set(key, piece);
    const at = Math.floor((number % VISITED_PIECE) / 8);
    const bit = 1 << (number % 8);
    const isNew = (piece[at]! & bit) === 0;
    piece[at]! |= bit;
    return isNew;
  }
}
