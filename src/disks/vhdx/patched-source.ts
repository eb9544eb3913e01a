import type { ByteRange } from '../../lib/byte-range.ts';
import { type ByteSource, ReadPastEndError } from '../../lib/byte-source.ts';

/** A write that a log holds: bytes, or zeros, for a range of the file. */
export interface Patch extends ByteRange {
  /** `length` bytes; absent: zeros. */
  readonly bytes?: Uint8Array;
}

/** A byte source as if patches had been written over it. The source itself stays as it is. */
export interface PatchedSource extends ByteSource {
  /** Ascending and apart: the patches that are in force, or parts of them. */
  readonly patches: readonly Patch[];
  /** The patches that touch a range of the file. */
  patchesIn(range: ByteRange): readonly Patch[];
}

/** Lays patches, later ones over earlier ones, over a source, which is grown with zeros to `sizeBytes` where it is shorter. */
export function patchedSource(what: string, base: ByteSource, patches: readonly Patch[], sizeBytes: number): PatchedSource {
  const inForce = flatten(patches);
  const size = Math.max(base.sizeBytes, sizeBytes);
  const patchesIn = ({ offset, length }: ByteRange): readonly Patch[] => {
    const first = firstEndingAfter(inForce, offset);
    let last = first;
    while (last < inForce.length && inForce[last]!.offset < offset + length) last++;
    return inForce.slice(first, last);
  };
  return {
    sizeBytes: size,
    patches: inForce,
    patchesIn,
    async read(offset, into) {
      if (offset < 0 || into.length > size - offset) throw new ReadPastEndError(what, offset, into.length, size);
      const inBase = Math.max(0, Math.min(into.length, base.sizeBytes - offset));
      await base.read(Math.min(offset, base.sizeBytes), into.subarray(0, inBase));
      into.fill(0, inBase);
      for (const patch of patchesIn({ offset, length: into.length })) {
        const start = Math.max(patch.offset, offset);
        const end = Math.min(patch.offset + patch.length, offset + into.length);
        if (patch.bytes) into.set(patch.bytes.subarray(start - patch.offset, end - patch.offset), start - offset);
        else into.fill(0, start - offset, end - offset);
      }
    },
    [Symbol.asyncDispose]: () => base[Symbol.asyncDispose](),
  };
}

/**
 * The parts of patches that no later patch covers, ascending. The range is cut at every edge, and the patches paint the
 * pieces from the newest to the oldest; painted pieces are skipped over by links, so a hostile log costs n log n, not n².
 */
function flatten(patches: readonly Patch[]): Patch[] {
  const edges = [...new Set(patches.flatMap(({ offset, length }) => [offset, offset + length]))].sort((a, b) => a - b);
  const pieceAt = new Map(edges.map((edge, piece) => [edge, piece]));
  const nextUnpainted = Int32Array.from(edges, (_, piece) => piece);
  const skipPainted = (from: number): number => {
    let piece = from;
    while (nextUnpainted[piece] !== piece) {
      nextUnpainted[piece] = nextUnpainted[nextUnpainted[piece]!]!;
      piece = nextUnpainted[piece]!;
    }
    return piece;
  };
  const painted: (Patch | undefined)[] = new Array(edges.length);
  for (const patch of patches.toReversed()) {
    const end = pieceAt.get(patch.offset + patch.length)!;
    for (let piece = skipPainted(pieceAt.get(patch.offset)!); piece < end; piece = skipPainted(piece)) {
      painted[piece] = cut(patch, edges[piece]!, edges[piece + 1]!);
      nextUnpainted[piece] = piece + 1;
    }
  }
  return painted.filter((patch) => patch !== undefined);
}

function cut(patch: Patch, start: number, end: number): Patch {
  const range = { offset: start, length: end - start };
  return patch.bytes ? { ...range, bytes: patch.bytes.subarray(start - patch.offset, end - patch.offset) } : range;
}

function firstEndingAfter(patches: readonly Patch[], offset: number): number {
  let [low, high] = [0, patches.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (patches[middle]!.offset + patches[middle]!.length > offset) high = middle;
    else low = middle + 1;
  }
  return low;
}
