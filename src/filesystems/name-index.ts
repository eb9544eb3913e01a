import type { FileNode } from './file-system.ts';

/** Names of one directory that are remembered: more would take more than a few MiB. */
const MOST_NAMES = 16_384;

/** Something in a directory that has a name. */
interface Named {
  readonly name: string;
}

/** By folded name; several only where they differ in nothing but case. */
type Index<T> = ReadonlyMap<string, readonly T[]>;

/**
 * Finds names in directories of systems that keep no index: remembers the names of the directory that was asked last, so that many of one
 * directory cost one look at it. An exact name comes first, then the first that is equal when folded.
 */
export class NameIndex<T extends Named> {
  readonly #entriesOf: (directory: FileNode) => AsyncIterable<T>;
  readonly #fold: (name: string) => string;
  #last: { readonly id: string; readonly index: Promise<Index<T> | undefined> } | undefined;

  constructor(entriesOf: (directory: FileNode) => AsyncIterable<T>, fold: (name: string) => string) {
    this.#entriesOf = entriesOf;
    this.#fold = fold;
  }

  async find(directory: FileNode, name: string): Promise<T | undefined> {
    if (this.#last?.id !== directory.id) this.#last = { id: directory.id, index: this.#read(directory) };
    const index = await this.#last.index;
    if (!index) return await this.#search(directory, name);
    const equal = index.get(this.#fold(name));
    return equal?.find((entry) => entry.name === name) ?? equal?.[0];
  }

  /** `undefined` for a directory that is too large or damaged, which is searched each time. */
  async #read(directory: FileNode): Promise<Index<T> | undefined> {
    const index = new Map<string, T[]>();
    let names = 0;
    try {
      for await (const entry of this.#entriesOf(directory)) {
        names += 1;
        if (names > MOST_NAMES) return undefined;
        const folded = this.#fold(entry.name);
        const equal = index.get(folded);
        if (equal) equal.push(entry);
        else index.set(folded, [entry]);
      }
      return index;
    } catch {
      return undefined; // the search comes to the same, after what stands before it
    }
  }

  async #search(directory: FileNode, name: string): Promise<T | undefined> {
    const folded = this.#fold(name);
    let near: T | undefined;
    for await (const entry of this.#entriesOf(directory)) {
      if (entry.name === name) return entry;
      if (near === undefined && entry.name.length === name.length && this.#fold(entry.name) === folded) near = entry;
    }
    return near;
  }
}
