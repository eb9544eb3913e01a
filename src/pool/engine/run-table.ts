/** Int32 words of a slot: its state, then the first 16 bytes of a digest. */
const SLOT_WORDS = 5;
const EMPTY = 0;
const CLAIMING = 1;
const CLAIMED = 2;

/**
 * The blocks that one run has stored, shared by its workers: open addressing over shared memory. Who claims a digest first stores
 * the block; no block is stored by two workers. A failed worker ends the whole run, so a claim needs no proof that it was kept.
 * 16 bytes of a digest are enough: a table never holds more than some hundred thousand.
 */
export class RunTable {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #slots: number;

  private constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#words = new Int32Array(memory);
    this.#slots = Math.floor((this.#words.length - 1) / SLOT_WORDS);
  }

  /** Room for `capacity` digests at most; 1.5 slots are made for each. */
  static create(capacity: number): RunTable {
    const slots = Math.ceil(capacity * 1.5);
    return new RunTable(new SharedArrayBuffer((1 + slots * SLOT_WORDS) * Int32Array.BYTES_PER_ELEMENT));
  }

  /** The same table in another thread. */
  static over(memory: SharedArrayBuffer): RunTable {
    return new RunTable(memory);
  }

  /** Digests claimed. */
  get count(): number {
    return Atomics.load(this.#words, 0);
  }

  /** True for the one caller, of all threads, who has to store this block. */
  claim(digest: Uint8Array): boolean {
    const view = new DataView(digest.buffer, digest.byteOffset, 16);
    const [a, b, c, d] = [view.getInt32(0), view.getInt32(4), view.getInt32(8), view.getInt32(12)];
    const words = this.#words;
    for (let slot = (a >>> 0) % this.#slots, probes = 0; probes < this.#slots; slot = (slot + 1) % this.#slots, probes += 1) {
      const at = 1 + slot * SLOT_WORDS;
      let state = Atomics.compareExchange(words, at, EMPTY, CLAIMING);
      if (state === EMPTY) {
        words.set([a, b, c, d], at + 1);
        Atomics.store(words, at, CLAIMED);
        Atomics.notify(words, at);
        Atomics.add(words, 0, 1);
        return true;
      }
      while (state === CLAIMING) {
        Atomics.wait(words, at, CLAIMING);
        state = Atomics.load(words, at);
      }
      if (words[at + 1] === a && words[at + 2] === b && words[at + 3] === c && words[at + 4] === d) return false;
    }
    throw new Error('the table of a run is full');
  }

  /** Forgets all claims. Only while no worker uses the table. */
  clear(): void {
    this.#words.fill(0);
  }
}
