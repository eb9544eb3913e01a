import { MabsError } from '../../lib/errors.ts';
import type { FileContent } from '../file-system.ts';

const UNITS = 0x10000;
const PIECE_UNITS = 4096;
const PIECE_BYTES = 2 * PIECE_UNITS;

/**
 * The volume's own table of capital letters ($UpCase), one UTF-16 unit for each; names are ordered by it (libfsntfs, 4.5). Read in
 * pieces as scripts need them: most volumes' names stand in one or two of sixteen. Without it: Unicode's capital letters.
 */
export class UpCase {
  readonly #table: FileContent | undefined;
  readonly #pieces: (Uint16Array | undefined)[] = new Array(UNITS / PIECE_UNITS).fill(undefined);

  constructor(table: FileContent | undefined) {
    this.#table = table;
  }

  /** Makes ready for comparing these names. */
  async prepare(names: Iterable<string>): Promise<void> {
    const needed = new Set<number>();
    for (const name of names) {
      for (let index = 0; index < name.length; index += 1) {
        const piece = name.charCodeAt(index) >>> 12;
        if (!this.#pieces[piece]) needed.add(piece);
      }
    }
    for (const piece of needed) this.#pieces[piece] = await this.#load(piece);
  }

  /** Order of two names regardless of case: negative, 0 or positive. Both were prepared. */
  compare(a: string, b: string): number {
    const length = Math.min(a.length, b.length);
    for (let index = 0; index < length; index += 1) {
      const left = a.charCodeAt(index);
      const right = b.charCodeAt(index);
      if (left === right) continue;
      const difference = this.#upper(left) - this.#upper(right);
      if (difference !== 0) return difference;
    }
    return a.length - b.length;
  }

  #upper(unit: number): number {
    return this.#pieces[unit >>> 12]![unit & (PIECE_UNITS - 1)]!;
  }

  async #load(piece: number): Promise<Uint16Array> {
    const units = new Uint16Array(PIECE_UNITS);
    const bytes = new Uint8Array(PIECE_BYTES);
    try {
      if (!this.#table) return unicodeCapitals(piece, units);
      await this.#table.read(piece * PIECE_BYTES, bytes);
    } catch (error) {
      if (error instanceof MabsError && error.kind === 'damaged') return unicodeCapitals(piece, units);
      throw error;
    }
    const view = new DataView(bytes.buffer);
    return units.map((_, index) => view.getUint16(2 * index, true));
  }
}

function unicodeCapitals(piece: number, units: Uint16Array): Uint16Array {
  return units.map((_, index) => {
    const unit = piece * PIECE_UNITS + index;
    const capital = String.fromCharCode(unit).toUpperCase();
    return capital.length === 1 ? capital.charCodeAt(0) : unit;
  });
}
