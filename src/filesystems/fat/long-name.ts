import { shortNameChecksum } from './short-name.ts';

/** Where the 13 characters of an entry stand (FAT specification 1.03, "Long Directory Entries"). */
const CHARACTERS = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30] as const;
const CHECKSUM = 13;
const LAST = 0x40;
const MOST_ENTRIES = 20;

/**
 * Gathers the entries of a long name, which precede its short one from the last to the first. What does not belong together, or not to the
 * short name that follows, is left aside, as Windows and Linux do: then the short name counts.
 */
export class LongName {
  #units: number[] = [];
  #checksum = 0;
  /** The number that the next entry must have; 0: the short name must follow. */
  #expected = -1;

  forget(): void {
    this.#expected = -1;
  }

  /** Takes an entry of a long name. */
  take(entry: Uint8Array): void {
    const number = entry[0]! & ~LAST;
    if (entry[0]! & LAST) {
      this.#units = [];
      this.#checksum = entry[CHECKSUM]!;
      this.#expected = number <= MOST_ENTRIES ? number : -1;
    }
    if (number === 0 || number !== this.#expected || entry[CHECKSUM] !== this.#checksum) {
      this.forget();
      return;
    }
    this.#units = [...CHARACTERS.map((at) => entry[at]! | (entry[at + 1]! << 8)), ...this.#units];
    this.#expected = number - 1;
  }

  /** The long name of the short one in `entry`, if there is one; and begins anew. */
  of(entry: Uint8Array): string | undefined {
    const whole = this.#expected === 0 && shortNameChecksum(entry) === this.#checksum;
    this.forget();
    if (!whole) return undefined;
    const end = this.#units.indexOf(0);
    return String.fromCharCode(...(end < 0 ? this.#units : this.#units.slice(0, end))) || undefined;
  }
}
