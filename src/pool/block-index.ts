import { BlobMissingError, type BlobStore } from '../stores/blob-store.ts';
import type { BlockIndex, BlockLocation, PoolKeys } from './block.ts';
import { CondemnedBlocks } from './condemned-blocks.ts';
import { IndexSegment, type SegmentSummary, summarizeSegment } from './index-segment.ts';

/** All that a thread needs to open the index: plain data over shared memory. */
export interface IndexDescriptor {
  readonly poolId: Uint8Array;
  readonly segments: readonly SegmentSummary[];
  /** Lists of condemned blocks in their stored form. */
  readonly condemned: readonly Uint8Array[];
}

/** The names of the index segments now, the newest first. */
export async function listSegments(store: BlobStore): Promise<string[]> {
  const names = (await Array.fromAsync(store.list('index/'))).map(({ name }) => name).filter((name) => SEGMENT_NAME.test(name));
  return names.sort().reverse();
}

export const SEGMENT_NAME = /^index\/([0-9a-f]{8})-[0-9a-f]{16}\.idx$/;

/**
 * Summaries of the segments that are there now; those in `known` are not read again. A segment that is merged away between the
 * listing and the reading makes it list anew.
 */
export async function summarizeIndex(
  store: BlobStore,
  poolId: Uint8Array,
  keys: PoolKeys | undefined,
  known: readonly SegmentSummary[] = [],
): Promise<SegmentSummary[]> {
  const summaries = new Map(known.map((summary) => [summary.name, summary]));
  for (;;) {
    const names = await listSegments(store);
    try {
      for (const name of names) {
        if (!summaries.has(name)) summaries.set(name, await summarizeSegment(store, name, poolId, keys));
      }
    } catch (error) {
      if (!(error instanceof BlobMissingError)) throw error;
      continue;
    }
    return names.map((name) => summaries.get(name)!);
  }
}

/** Opens the index as described. Where segments were merged meanwhile it reads what is there now. */
export async function openBlockIndex(store: BlobStore, descriptor: IndexDescriptor, keys: PoolKeys | undefined): Promise<SegmentedIndex> {
  let summaries = descriptor.segments;
  for (;;) {
    const segments: IndexSegment[] = [];
    try {
      for (const summary of summaries) segments.push(await IndexSegment.open(store, summary, descriptor.poolId, keys));
      return new SegmentedIndex(
        segments,
        descriptor.condemned.map((bytes) => new CondemnedBlocks(bytes)),
      );
    } catch (error) {
      for (const segment of segments) await segment[Symbol.asyncDispose]();
      if (!(error instanceof BlobMissingError)) throw error;
      summaries = await summarizeIndex(store, descriptor.poolId, keys, summaries);
    }
  }
}

/** The index as a list of segments, the newest asked first. */
export class SegmentedIndex implements BlockIndex {
  readonly entries: number;
  readonly segments: readonly IndexSegment[];
  readonly #condemned: readonly CondemnedBlocks[];

  constructor(segments: readonly IndexSegment[], condemned: readonly CondemnedBlocks[]) {
    this.segments = segments;
    this.#condemned = condemned;
    this.entries = segments.reduce((sum, { summary }) => sum + summary.entries, 0);
  }

  find(digest: Uint8Array): BlockLocation | undefined | Promise<BlockLocation | undefined> {
    const candidates = this.#candidates(digest);
    return candidates.length === 0 ? undefined : this.#first(candidates, digest, false);
  }

  findReusable(digest: Uint8Array): BlockLocation | undefined | Promise<BlockLocation | undefined> {
    const candidates = this.#candidates(digest);
    return candidates.length === 0 ? undefined : this.#first(candidates, digest, true);
  }

  /** Every copy of a block, the newest first. */
  async findAll(digest: Uint8Array): Promise<BlockLocation[]> {
    const found: BlockLocation[] = [];
    for (const segment of this.#candidates(digest)) found.push(...(await segment.find(digest)).map(({ location }) => location));
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const segment of this.segments) await segment[Symbol.asyncDispose]();
  }

  #candidates(digest: Uint8Array): IndexSegment[] {
    return this.segments.filter((segment) => segment.mayHave(digest));
  }

  async #first(segments: readonly IndexSegment[], digest: Uint8Array, reusable: boolean): Promise<BlockLocation | undefined> {
    for (const segment of segments) {
      for (const { location, packNumber } of await segment.find(digest)) {
        const packKey = segment.packKey(packNumber);
        if (!reusable || !this.#condemned.some((list) => list.has(packKey, location.ordinal))) return location;
      }
    }
    return undefined;
  }
}
