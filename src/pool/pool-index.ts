import { MabsError } from '../lib/errors.ts';
import { BlobMissingError } from '../stores/blob-store.ts';
import type { SealedPack } from './block.ts';
import { type IndexDescriptor, listSegments, openBlockIndex, SEGMENT_NAME, type SegmentedIndex, summarizeIndex } from './block-index.ts';
import { listCondemned } from './condemned-lists.ts';
import { mergedContent } from './index-merge.ts';
import type { SegmentSummary } from './index-segment.ts';
import { type SegmentContent, segmentOfPacks, writeSegment } from './index-writer.ts';
import { PACK_KEY_BYTES, packEpoch, packKeyOf, packName } from './pack-format.ts';
import { readPackTable } from './pack-tables.ts';
import { type PoolContext, withPoolLock } from './pool-context.ts';

/** More segments than this are merged. */
const MAX_SEGMENTS = 8;
/** Tables gathered in memory before they become a segment, when an index is rebuilt. */
const REBUILD_TABLE_BYTES = 48 * 1024 * 1024;

/** The index of an opened pool: immutable segments on the store, their summaries in memory. */
export class PoolIndex {
  readonly #pool: PoolContext;
  #known: readonly SegmentSummary[] = [];

  constructor(pool: PoolContext) {
    this.#pool = pool;
  }

  /** What is indexed now; segments that are known are not read again. */
  async summaries(): Promise<readonly SegmentSummary[]> {
    const { store, poolId, keys } = this.#pool;
    this.#known = await summarizeIndex(store, poolId, keys, this.#known);
    return this.#known;
  }

  async describe(): Promise<IndexDescriptor> {
    const condemned = await listCondemned(this.#pool);
    return { poolId: this.#pool.poolId, segments: await this.summaries(), condemned: condemned.map(({ blocks }) => blocks.bytes) };
  }

  /** Opened over what is indexed now. */
  async open(): Promise<SegmentedIndex> {
    return await openBlockIndex(this.#pool.store, await this.describe(), this.#pool.keys);
  }

  /** Makes the blocks of sealed packs known: a new segment, durable when this resolves. */
  async addPacks(packs: readonly SealedPack[]): Promise<void> {
    if (packs.some(hasBlocks)) await withPoolLock(this.#pool, 'index', () => this.#writePacks(packs));
  }

  async #writePacks(packs: readonly SealedPack[]): Promise<void> {
    const filled = packs.filter(hasBlocks);
    if (filled.length === 0) return;
    await this.write(segmentOfPacks(filled));
    await this.#mergeWhenMany();
  }

  /** Writes one segment; the caller holds the index lock. */
  async write(content: SegmentContent): Promise<string> {
    const { store, poolId, keys, random } = this.#pool;
    const newest = SEGMENT_NAME.exec((await listSegments(store))[0] ?? '')?.[1] ?? '0';
    const number = (Number.parseInt(newest, 16) + 1).toString(16).padStart(8, '0');
    const name = `index/${number}-${Buffer.from(random.bytes(8)).toString('hex')}.idx`;
    await writeSegment({ store, name, poolId, keys, salt: random.bytes(32) }, content);
    return name;
  }

  /** Makes sealed packs of an epoch known that no segment names, and removes what it left unfinished. Answers how many there were. */
  async adopt(epoch: number): Promise<number> {
    const { store } = this.#pool;
    const folder = packName(keyOfEpoch(epoch)).slice(0, 'packs/00/'.length);
    const isOfEpoch = (name: string) => epochOf(name) === epoch;
    const names = (await Array.fromAsync(store.list(folder))).map(({ name }) => name).filter(isOfEpoch);
    const indexed = names.length > 0 ? await this.indexedPacks() : new Set<string>();
    const found = await this.#readTables(names.filter((name) => !indexed.has(name)));
    await this.addPacks(found);
    await store.removeTemporary(folder, (name) => !isOfEpoch(name));
    return found.length;
  }

  /** Adds what is in packs and in no segment; makes the index anew when a segment cannot be read. */
  async repair(): Promise<void> {
    try {
      // Listed under the lock: a pack that a sweep is removing meanwhile must not be named again.
      await withPoolLock(this.#pool, 'index', async () => {
        const indexed = await this.indexedPacks();
        const unknown: string[] = [];
        for await (const { name } of this.#pool.store.list('packs/')) if (!indexed.has(name)) unknown.push(name);
        await this.#writePacks(await this.#readTables(unknown));
      });
    } catch (error) {
      if (!(error instanceof MabsError && error.kind === 'damaged')) throw error;
      await this.rebuild();
    }
  }

  /** Makes the index anew from the tables in the packs. */
  async rebuild(): Promise<void> {
    const { store } = this.#pool;
    await withPoolLock(this.#pool, 'index', async () => {
      const former = await listSegments(store);
      let gathered: SealedPack[] = [];
      let bytes = 0;
      const flush = async () => {
        if (gathered.length > 0) await this.write(segmentOfPacks(gathered));
        gathered = [];
        bytes = 0;
      };
      for await (const { name } of store.list('packs/')) {
        for (const pack of await this.#readTables([name])) {
          gathered.push(pack);
          bytes += pack.table.length;
        }
        if (bytes >= REBUILD_TABLE_BYTES) await flush();
      }
      await flush();
      for (const name of former) await store.remove(name);
      await this.#mergeWhenMany();
    });
  }

  /** Names of all packs that segments number. */
  async indexedPacks(): Promise<Set<string>> {
    const names = new Set<string>();
    for (const { packKeys } of await this.summaries()) {
      for (let at = 0; at < packKeys.length; at += PACK_KEY_BYTES) names.add(packName(packKeys.subarray(at, at + PACK_KEY_BYTES)));
    }
    return names;
  }

  /** Merges the smallest segments until few are left: new one durable first, old ones removed then. The caller holds the index lock. */
  async #mergeWhenMany(): Promise<void> {
    const smallestFirst = (await this.summaries()).toSorted((a, b) => a.entries - b.entries);
    if (smallestFirst.length <= MAX_SEGMENTS) return;
    let count = smallestFirst.length - MAX_SEGMENTS / 2;
    let sum = smallestFirst.slice(0, count).reduce((total, { entries }) => total + entries, 0);
    while (count < smallestFirst.length && smallestFirst[count]!.entries <= sum) {
      sum += smallestFirst[count]!.entries;
      count += 1;
    }
    const chosen = smallestFirst.slice(0, count);
    const { store, poolId, keys } = this.#pool;
    await using index = await openBlockIndex(store, { poolId, segments: chosen, condemned: [] }, keys);
    await this.write(mergedContent(index.segments));
    for (const { name } of chosen) await store.remove(name);
  }

  /** Tables of packs; one that cannot be read is left out: nothing that counts can have been written on it. */
  async #readTables(names: readonly string[]): Promise<SealedPack[]> {
    const { store, poolId, keys } = this.#pool;
    const packs: SealedPack[] = [];
    for (const name of names) {
      try {
        packs.push(await readPackTable(store, name, poolId, keys));
      } catch (error) {
        if (!(error instanceof BlobMissingError) && !(error instanceof MabsError && error.kind === 'damaged')) throw error;
      }
    }
    return packs;
  }
}

function hasBlocks({ table }: SealedPack): boolean {
  return table.length > 0;
}

function epochOf(name: string): number | undefined {
  const key = packKeyOf(name);
  return key && packEpoch(key);
}

function keyOfEpoch(epoch: number): Uint8Array {
  const key = new Uint8Array(PACK_KEY_BYTES);
  new DataView(key.buffer).setUint32(0, epoch, true);
  return key;
}
