import { z } from 'zod';
import { MabsError } from '../lib/errors.ts';
import { type Manifest, manifestSchema, type StoredManifest } from '../model/manifest.ts';
import { decodeJson, encodeJson, getJson, putJson } from './json-object.ts';
import { CHECKSUM_BYTES, checkObject, ObjectKind } from './object-envelope.ts';
import type { PoolContext } from './pool-context.ts';
import { PoolObjectDamagedError } from './pool-errors.ts';

const seqSchema = z.number().int().positive();
const digestSchema = z.string().regex(/^[0-9a-f]{64}$/);
/**
 * `previous`: the checksum of the manifest one number lower, which chains the roll; absent for number 1, and where that manifest was
 * damaged when this one was written.
 */
const rollEntrySchema = z.object({ version: z.literal(1), seq: seqSchema, previous: digestSchema.optional(), manifest: manifestSchema });
/** All numbers purged by now, as ranges, and the checksums of those whose successor still refers to them. */
const purgedSchema = z.object({
  version: z.literal(1),
  ranges: z.array(z.tuple([seqSchema, seqSchema])),
  checksums: z.record(z.string(), digestSchema),
});
type Purged = z.infer<typeof purgedSchema>;

/** How often a listing with a gap is taken again before the gap is believed. */
const LISTED_AGAIN = 3;

const MANIFEST = /^manifests\/(\d{10})$/;
export const manifestName = (seq: number) => `manifests/${String(seq).padStart(10, '0')}`;
const purgedName = (number: number) => `purged/${String(number).padStart(8, '0')}`;

/** What a listing of the roll shows. */
export interface RollListing {
  /** Numbers whose manifest is there, ascending. */
  readonly present: readonly number[];
  /** Numbers below the highest that are neither there nor purged: manifests that were lost. */
  readonly missing: readonly number[];
  readonly highest: number;
}

/** The numbered roll of manifests: without gaps, chained, the one commit point of the pool. */
export class ManifestRoll {
  readonly #pool: PoolContext;
  /** Manifests never change, so what was read once is kept. */
  readonly #read = new Map<number, Manifest>();

  constructor(pool: PoolContext) {
    this.#pool = pool;
  }

  /**
   * The roll as it is now. A listing is no snapshot: while others commit and purge it may show a number and not the one before. What
   * is lost stays lost, so only what is missing each time counts.
   */
  async list(): Promise<RollListing> {
    let listing = await this.#listOnce();
    for (let again = 0; again < LISTED_AGAIN && listing.missing.length > 0; again += 1) {
      const before = new Set(listing.missing);
      const next = await this.#listOnce();
      listing = { ...next, missing: next.missing.filter((seq) => before.has(seq)) };
    }
    return listing;
  }

  async #listOnce(): Promise<RollListing> {
    const present: number[] = [];
    for await (const { name } of this.#pool.store.list('manifests/')) {
      const digits = MANIFEST.exec(name)?.[1];
      if (digits) present.push(Number(digits));
    }
    present.sort((a, b) => a - b);
    // Read after the listing: what is purged in between is then explained.
    const { ranges } = (await this.#latestPurged()).purged;
    const highest = Math.max(present.at(-1) ?? 0, ranges.at(-1)?.[1] ?? 0);
    return { present, missing: unexplained(present, ranges, highest), highest };
  }

  /** Like `list`, but a lost manifest rejects with MABS-POOL-ROLL-GAP: for whatever concludes something from absence. */
  async listComplete(): Promise<RollListing> {
    const listing = await this.list();
    if (listing.missing.length > 0) throw new RollGapError(listing.missing);
    return listing;
  }

  async get(seq: number): Promise<Manifest> {
    const known = this.#read.get(seq);
    if (known) return known;
    const name = manifestName(seq);
    const entry = await getJson(this.#pool, name, ObjectKind.manifest, rollEntrySchema);
    if (entry.seq !== seq) throw new PoolObjectDamagedError(name, 0, `it says that it is number ${entry.seq}`);
    this.#read.set(seq, entry.manifest);
    return entry.manifest;
  }

  /** Adds a manifest under the next number. The caller holds the commit lock and everything the manifest names is durable. */
  async append(manifest: Manifest): Promise<StoredManifest> {
    const { highest } = await this.list();
    const seq = highest + 1;
    const previous = await this.#checksumIfIntact(highest);
    const parsed = manifestSchema.parse(manifest);
    const entry = { version: 1, seq, ...(previous === undefined ? {} : { previous }), manifest: parsed };
    await this.#pool.store.put(manifestName(seq), encodeJson(this.#pool, manifestName(seq), ObjectKind.manifest, entry));
    this.#read.set(seq, parsed);
    return { seq, manifest: parsed };
  }

  /**
   * Removes manifests for good: first the record that says so, then the files. Done again after a crash it ends what was begun.
   * The caller holds the commit lock.
   */
  async purge(seqs: readonly number[]): Promise<void> {
    const { present, highest } = await this.listComplete();
    const { purged, number } = await this.#latestPurged();
    const gone = new Set(seqs.filter((seq) => present.includes(seq)));
    if (gone.size > 0) {
      const checksums = await this.#checksumsToKeep(purged, gone, present, highest);
      const ranges = addNumbers(purged.ranges, gone);
      await putJson(this.#pool, purgedName(number + 1), ObjectKind.purged, { version: 1, ranges, checksums });
    }
    await this.removePurged();
  }

  /** Removes files that a purge, perhaps one that crashed, has given up, and former records of what is purged. */
  async removePurged(): Promise<void> {
    const { purged, number } = await this.#latestPurged();
    for await (const { name } of this.#pool.store.list('manifests/')) {
      const digits = MANIFEST.exec(name)?.[1];
      if (digits && inRanges(purged.ranges, Number(digits))) {
        this.#read.delete(Number(digits));
        await this.#pool.store.remove(name);
      }
    }
    for await (const { name } of this.#pool.store.list('purged/')) {
      if (name < purgedName(number - 1)) await this.#pool.store.remove(name);
    }
  }

  /** Verifies manifest `seq`: checksum, content and its link to the one before it, as far as that is still known. */
  async verify(seq: number): Promise<Manifest> {
    const name = manifestName(seq);
    const bytes = await this.#pool.store.get(name);
    const entry = decodeJson(this.#pool, name, ObjectKind.manifest, rollEntrySchema, bytes);
    if (entry.seq !== seq) throw new PoolObjectDamagedError(name, 0, `it says that it is number ${entry.seq}`);
    const expected = await this.#checksumIfIntact(seq - 1);
    if (expected !== undefined && entry.previous !== undefined && entry.previous !== expected)
      throw new PoolObjectDamagedError(name, 0, 'it does not follow the manifest before it');
    return entry.manifest;
  }

  /** Damage to one manifest concerns no other: what would be linked to it stays without the link. */
  async #checksumIfIntact(seq: number): Promise<string | undefined> {
    if (seq < 1) return undefined;
    try {
      return await this.#findChecksum(seq);
    } catch (error) {
      if (error instanceof MabsError && error.kind === 'damaged') return undefined;
      throw error;
    }
  }

  async #findChecksum(seq: number): Promise<string | undefined> {
    const { purged } = await this.#latestPurged();
    if (inRanges(purged.ranges, seq)) return purged.checksums[String(seq)];
    const bytes = await this.#pool.store.get(manifestName(seq));
    if (bytes.length < CHECKSUM_BYTES) throw new PoolObjectDamagedError(manifestName(seq), 0, 'it is too short');
    return checkObject(manifestName(seq), bytes).toString('hex');
  }

  async #checksumsToKeep(
    purged: Purged,
    gone: ReadonlySet<number>,
    present: readonly number[],
    highest: number,
  ): Promise<Record<string, string>> {
    const left = new Set(present.filter((seq) => !gone.has(seq)));
    const referred = (seq: number) => left.has(seq + 1) || seq === highest;
    const kept: Record<string, string> = {};
    for (const [seq, checksum] of Object.entries(purged.checksums)) if (referred(Number(seq))) kept[seq] = checksum;
    for (const seq of gone) {
      const checksum = referred(seq) ? await this.#checksumIfIntact(seq) : undefined;
      if (checksum !== undefined) kept[String(seq)] = checksum;
    }
    return kept;
  }

  /** What was purged by now. A damaged record gives way to the one before it: then numbers count as lost, which proves nothing. */
  async #latestPurged(): Promise<{ purged: Purged; number: number }> {
    const numbers: number[] = [];
    for await (const { name } of this.#pool.store.list('purged/')) {
      const digits = /^purged\/(\d{8})$/.exec(name)?.[1];
      if (digits) numbers.push(Number(digits));
    }
    numbers.sort((a, b) => b - a);
    for (const number of numbers) {
      try {
        return { purged: await getJson(this.#pool, purgedName(number), ObjectKind.purged, purgedSchema), number: numbers[0]! };
      } catch (error) {
        if (!(error instanceof MabsError && error.kind === 'damaged')) throw error;
      }
    }
    return { purged: { version: 1, ranges: [], checksums: {} }, number: numbers[0] ?? 0 };
  }
}

function inRanges(ranges: Purged['ranges'], seq: number): boolean {
  return ranges.some(([first, last]) => seq >= first && seq <= last);
}

function addNumbers(ranges: Purged['ranges'], numbers: ReadonlySet<number>): [number, number][] {
  const sorted = [...ranges, ...[...numbers].map((seq): [number, number] => [seq, seq])].sort((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [first, last] of sorted) {
    const before = merged.at(-1);
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

function unexplained(present: readonly number[], ranges: Purged['ranges'], highest: number): number[] {
  const there = new Set(present);
  const missing: number[] = [];
  for (let seq = 1; seq <= highest; seq += 1) {
    if (there.has(seq)) continue;
    const range = ranges.find(([first, last]) => seq >= first && seq <= last);
    if (range) seq = range[1];
    else missing.push(seq);
    if (missing.length >= 1000) break;
  }
  return missing;
}

/** Manifests are missing that nobody purged: a listing is then no proof that nothing needs a block. */
export class RollGapError extends MabsError {
  readonly code = 'MABS-POOL-ROLL-GAP';
  readonly hint =
    'Bring the missing files back from a copy of the pool; until then nothing is pruned. Other recovery points can be restored.';
  override readonly kind = 'damaged';
  readonly seqs: readonly number[];
  constructor(seqs: readonly number[]) {
    super(`manifests are missing from the pool: ${seqs.slice(0, 10).map(manifestName).join(', ')}${seqs.length > 10 ? ' and more' : ''}`);
    this.seqs = seqs;
  }
}
