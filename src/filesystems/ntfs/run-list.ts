import { damaged } from './ntfs-damage.ts';

/** Consecutive clusters of a stream: `lcn` is where they lie on the volume, `undefined` in a hole. */
export interface Run {
  /** First cluster within the stream. */
  readonly vcn: number;
  readonly clusters: number;
  readonly lcn: number | undefined;
}

const HOLE = -1;
/** More than any volume or hole has: 2^53 bytes are 2^44 of the smallest clusters. */
const MOST_CLUSTERS = 2 ** 44;

/** Where the clusters of a stream lie, as two numbers a run: files in a hundred thousand pieces exist. */
export class RunList {
  readonly #ends: number[] = [];
  readonly #lcns: number[] = [];
  readonly #volumeClusters: number;

  constructor(volumeClusters: number) {
    this.#volumeClusters = volumeClusters;
  }

  /** Clusters of the stream that are known: runs lie without gaps from 0 to here. */
  get clusters(): number {
    return this.#ends.at(-1) ?? 0;
  }

  /** Adds a mapping-pairs array (libfsntfs, 5.4 Data runs), which must stand for exactly the clusters up to `end`. */
  append(pairs: Uint8Array, end: number): void {
    let vcn = this.clusters;
    let lcn = 0;
    for (let at = 0; at < pairs.length && pairs[at] !== 0; ) {
      const lengthBytes = pairs[at]! & 0x0f;
      const offsetBytes = pairs[at]! >> 4;
      if (lengthBytes === 0 || lengthBytes > 8 || offsetBytes > 8 || at + 1 + lengthBytes + offsetBytes > pairs.length) break;
      const length = signedAt(pairs, at + 1, lengthBytes);
      if (!(length > 0 && length <= MOST_CLUSTERS)) throw damaged(`a run list has a run of ${length} clusters`);
      lcn += signedAt(pairs, at + 1 + lengthBytes, offsetBytes);
      if (offsetBytes > 0 && !(lcn >= 0 && lcn + length <= this.#volumeClusters)) throw damaged('a run list leaves the volume');
      vcn += length;
      if (vcn > end) break;
      this.#ends.push(vcn);
      this.#lcns.push(offsetBytes === 0 ? HOLE : lcn);
      at += 1 + lengthBytes + offsetBytes;
    }
    if (vcn !== end) throw damaged(`a run list has ${vcn} clusters, not ${end}`);
  }

  /** The runs from cluster `first` up to, not including, `end`, cut at both. Ends where the list does. */
  *within(first: number, end: number): Generator<Run> {
    let vcn = first;
    for (let index = this.#indexOf(first); vcn < end && index < this.#ends.length; index += 1) {
      const runStart = index === 0 ? 0 : this.#ends[index - 1]!;
      const runEnd = Math.min(this.#ends[index]!, end);
      const lcn = this.#lcns[index]!;
      yield { vcn, clusters: runEnd - vcn, lcn: lcn === HOLE ? undefined : lcn + vcn - runStart };
      vcn = runEnd;
    }
  }

  /** The first run that ends after `vcn`. */
  #indexOf(vcn: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ends[middle]! > vcn) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** A little-endian signed number of 0 to 8 bytes; exact up to 2^53, beyond that only large. */
function signedAt(bytes: Uint8Array, at: number, size: number): number {
  if (size === 0) return 0;
  let value = (bytes[at + size - 1]! << 24) >> 24;
  for (let index = size - 2; index >= 0; index -= 1) value = value * 256 + bytes[at + index]!;
  return value;
}
