import { MabsError, throwIfAborted } from '../lib/errors.ts';
import type { Manifest } from '../model/manifest.ts';
import { readAnyCopy } from './block-copies.ts';
import type { SegmentedIndex } from './block-index.ts';
import { walkMap } from './engine/walk-map.ts';
import type { IndexSegment, SegmentHit } from './index-segment.ts';
import { packEpoch } from './pack-format.ts';
import type { StorePackReader } from './pack-reader.ts';
import type { EngineOptions } from './pool.ts';
import { BlockMissingError } from './pool-errors.ts';

/** What manifests reach: one bit for each entry of each segment of an index. */
export class Mark {
  readonly index: SegmentedIndex;
  readonly #bits = new Map<IndexSegment, Uint8Array>();

  constructor(index: SegmentedIndex) {
    this.index = index;
    for (const segment of index.segments) this.#bits.set(segment, new Uint8Array(Math.ceil(segment.summary.entries / 8)));
  }

  has(segment: IndexSegment, position: number): boolean {
    return (this.#bits.get(segment)![position >>> 3]! & (1 << (position & 7))) !== 0;
  }

  /** Sets a bit; answers whether it was not set before. */
  add(segment: IndexSegment, position: number): boolean {
    if (this.has(segment, position)) return false;
    this.#bits.get(segment)![position >>> 3]! |= 1 << (position & 7);
    return true;
  }
}

interface Copy extends SegmentHit {
  readonly segment: IndexSegment;
}

/**
 * Marks every block that the manifests' maps reach. Of several copies of a block the newest intact one is marked, so that the others
 * become free. Rejects with MABS-BLOCK-MISSING where one is nowhere: nothing is concluded from a pool that lacks something.
 */
export async function markReached(
  index: SegmentedIndex,
  reader: StorePackReader,
  manifests: Iterable<Manifest>,
  { onProgress, signal }: EngineOptions & { readonly totalBytes?: number } = {},
): Promise<Mark> {
  const mark = new Mark(index);
  const chosen = new Map<string, Copy>();
  const reach = async (digest: Uint8Array): Promise<boolean> => {
    const copy = await copyToKeep(index, reader, chosen, digest);
    return mark.add(copy.segment, copy.position);
  };
  const disks = [...manifests].flatMap((manifest) => manifest.disks);
  const totalBytes = disks.reduce((sum, { dataBytes }) => sum + dataBytes, 0);
  let doneBytes = 0;
  for (const disk of disks) {
    await walkMap((digest) => readAnyCopy(reader, index, digest), disk, {
      async page(digest) {
        throwIfAborted(signal);
        // A page that was reached before, and with it all below it, needs no second visit.
        return await reach(digest);
      },
      async block(digest) {
        await reach(digest);
      },
    });
    doneBytes += disk.dataBytes;
    onProgress?.({ doneBytes, totalBytes });
  }
  return mark;
}

/** The copy of a block that stays. Where there are several, its content is verified before the others may go. */
async function copyToKeep(index: SegmentedIndex, reader: StorePackReader, chosen: Map<string, Copy>, digest: Uint8Array): Promise<Copy> {
  const copies: Copy[] = [];
  for (const segment of index.segments) {
    if (!segment.mayHave(digest)) continue;
    for (const hit of await segment.find(digest)) copies.push({ ...hit, segment });
  }
  const [only] = copies;
  if (!only) throw new BlockMissingError(digest);
  if (copies.length === 1) return only;
  const key = Buffer.from(digest).toString('latin1');
  const known = chosen.get(key);
  if (known) return known;
  copies.sort((a, b) => packEpoch(b.segment.packKey(b.packNumber)) - packEpoch(a.segment.packKey(a.packNumber)));
  const copy = (await firstIntact(reader, digest, copies)) ?? copies[0]!;
  chosen.set(key, copy);
  return copy;
}

async function firstIntact(reader: StorePackReader, digest: Uint8Array, copies: readonly Copy[]): Promise<Copy | undefined> {
  for (const copy of copies) {
    try {
      await reader.read(digest, copy.location);
      return copy;
    } catch (error) {
      if (!(error instanceof MabsError && error.kind === 'damaged')) throw error;
    }
  }
  return undefined;
}
