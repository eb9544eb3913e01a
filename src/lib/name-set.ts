import { createHash } from 'node:crypto';

const FIRST_SLOTS = 64;

/**
 * Which names of a folder are taken, in 16 bytes a name: a folder may have ten million. Names are told apart by 52 bits of their
 * SHA-256, so that by bad luck a free one may count as taken, never the other way round.
 */
export class NameSet {
  #slots = new Float64Array(FIRST_SLOTS);
  #size = 0;

  /** False when it is there already. */
  add(name: string): boolean {
    if (!insert(this.#slots, digestOf(name))) return false;
    this.#size += 1;
    if (this.#size * 2 > this.#slots.length) this.#grow();
    return true;
  }

  has(name: string): boolean {
    return slotOf(this.#slots, digestOf(name)).taken;
  }

  #grow(): void {
    const larger = new Float64Array(this.#slots.length * 2);
    for (const digest of this.#slots) if (digest !== 0) insert(larger, digest);
    this.#slots = larger;
  }
}

function insert(slots: Float64Array, digest: number): boolean {
  const { slot, taken } = slotOf(slots, digest);
  slots[slot] = digest;
  return !taken;
}

/** Where a digest is, or would be put: the next free place from where it belongs. There is always one. */
function slotOf(slots: Float64Array, digest: number): { slot: number; taken: boolean } {
  let slot = digest % slots.length;
  while (slots[slot] !== 0 && slots[slot] !== digest) slot = (slot + 1) % slots.length;
  return { slot, taken: slots[slot] === digest };
}

/** Never 0, which marks an empty slot. Keyed by nothing: whoever makes twins on purpose makes longer names, no more. */
function digestOf(name: string): number {
  const bytes = createHash('sha256').update(Buffer.from(name, 'utf16le')).digest();
  return bytes.readUIntBE(0, 6) * 16 + (bytes[6]! >> 4) + 1;
}
