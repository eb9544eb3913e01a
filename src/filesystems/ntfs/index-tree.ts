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
  readonly #blockSize: number;
  readonly #unit: number;
  readonly #what: string;

  private constructor(root: readonly IndexEntry[], blocks: FileContent | undefined, blockSize: number, unit: number, what: string) {
    this.#root = root;
    this.#blocks = blocks;
    this.#blockSize = blockSize;
    this.#unit = unit;
    this.#what = what;
  }

  /** The index of this name (`$I30` for file names) of a file; rejects with kind `damaged` where there is none. */
  static async open(table: RecordReader, file: NtfsFile, name: string): Promise<IndexTree> {
    const what = `the index ${name} of file record ${file.record.number}`;
    const root = findAttribute(file, ATTRIBUTE.indexRoot, name);
    if (root?.value === undefined) throw damaged(`${what} is missing`);
    const { blockSize, entries } = parseIndexRoot(root.value, what);
    if (blockSize < 512 || blockSize > 65_536 || (blockSize & (blockSize - 1)) !== 0)
      throw damaged(`${what} has blocks of ${blockSize} bytes`);
    const allocation = findAttribute(file, ATTRIBUTE.indexAllocation, name);
    const blocks = allocation && (await openAttribute(table, file, allocation));
    const { clusterSize } = table.geometry;
    return new IndexTree(entries, blocks, blockSize, blockSize >= clusterSize ? clusterSize : SMALL_UNIT, what);
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
          problem ??= error;
        }
        continue;
      }
      node.next += 1;
      node.isEntered = false;
      if (entry.key !== undefined) yield entry;
    }
    if (problem !== undefined) throw problem;
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
    const todo: { readonly entries: readonly IndexEntry[]; readonly level: number }[] = [{ entries: this.#root, level: 1 }];
    for (let node = todo.pop(); node; node = todo.pop()) {
      const { entries, level } = node;
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
        todo.push({ entries: await this.#block(child), level: level + 1 });
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
