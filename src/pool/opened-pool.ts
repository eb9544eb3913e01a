import type { WritableDisk } from '../disks/disk-format.ts';
import type { DiskSource } from '../disks/disk-source.ts';
import type { ByteRange } from '../lib/byte-range.ts';
import type { Manifest, ManifestDisk, StoredManifest } from '../model/manifest.ts';
import { checkPool } from './check-pool.ts';
import { compareDisk, type DiskComparison } from './engine/compare-disk.ts';
import { compareMaps } from './engine/compare-maps.ts';
import { createEngineThreads, type EngineThreads } from './engine/engine-threads.ts';
import { identifyRange } from './engine/identify-range.ts';
import { openDisk } from './engine/open-disk.ts';
import { readBack } from './engine/read-back.ts';
import { restoreDisk } from './engine/restore-disk.ts';
import { ManifestRoll } from './manifest-roll.ts';
import type {
  CheckOptions,
  EngineOptions,
  Pool,
  PoolCheckResult,
  PoolInfo,
  PoolRecord,
  PoolUsage,
  PoolWriter,
  RecordKind,
  RestoreResult,
  RollState,
  SweepPlan,
  TrashedManifest,
} from './pool.ts';
import { PoolBlocks } from './pool-blocks.ts';
import { type PoolContext, withPoolLock } from './pool-context.ts';
import type { PoolHeader } from './pool-header.ts';
import { PoolIndex } from './pool-index.ts';
import { DEFAULT_DERIVATION, type KeyInfo, listKeys, NotEncryptedError, removeKey, wrapKey } from './pool-keys.ts';
import { assertOwned } from './pool-owner.ts';
import { PoolRecords } from './pool-records.ts';
import { liveManifests, PoolTrash } from './pool-trash.ts';
import { poolUsage } from './pool-usage.ts';
import { adoptDeadEpochs, beginWrite, type WriterParts } from './pool-writer.ts';
import { formatRecoveryKey } from './recovery-key.ts';
import { restoreReserve, withReserve } from './reserve.ts';
import { planSweep, sweep } from './sweep.ts';

interface OpenedPoolOptions {
  readonly master: Uint8Array | undefined;
  readonly waitMs: number;
  readonly workers?: number;
}

/** A pool volume, opened: joins its parts and decides nothing itself. */
export class OpenedPool implements Pool {
  readonly info: PoolInfo;
  readonly #pool: PoolContext;
  readonly #header: PoolHeader;
  readonly #master: Uint8Array | undefined;
  readonly #waitMs: number;
  readonly #threads: EngineThreads;
  readonly #records: PoolRecords;
  readonly #roll: ManifestRoll;
  readonly #index: PoolIndex;
  readonly #trash: PoolTrash;

  constructor(pool: PoolContext, header: PoolHeader, { master, waitMs, workers }: OpenedPoolOptions) {
    const { id, version, blockSize, createdAt } = header;
    this.info = { id, formatVersion: version, encrypted: header.cipher !== 'none', blockSize, createdAt };
    this.#pool = pool;
    this.#header = header;
    this.#master = master;
    this.#waitMs = waitMs;
    this.#threads = createEngineThreads(workers);
    this.#records = new PoolRecords(pool);
    this.#roll = new ManifestRoll(pool);
    this.#index = new PoolIndex(pool);
    this.#trash = new PoolTrash(pool, this.#records, this.#roll);
  }

  async listManifests(options: { readonly afterSeq?: number; readonly strict?: boolean } = {}): Promise<StoredManifest[]> {
    return await liveManifests(this.#parts, this.#trash, options);
  }

  async listRoll(): Promise<RollState> {
    const { present, missing, highest } = await this.#roll.list();
    const trashed = await this.#trash.seqs();
    const gaps = new Set(missing);
    return { live: present.filter((seq) => !trashed.has(seq)), isExplained: (seq) => seq <= highest && !gaps.has(seq), highest };
  }

  async putRecord(kind: RecordKind, owner: string, payload: unknown): Promise<PoolRecord> {
    await assertOwned(this.#pool, this.#records);
    return await this.#records.put(kind, owner, payload);
  }

  async latestRecords(kind: RecordKind): Promise<Map<string, PoolRecord>> {
    return await this.#records.allLatest(kind);
  }

  async latestRecord(kind: RecordKind, owner: string): Promise<PoolRecord | undefined> {
    return await this.#records.latest(kind, owner);
  }

  async beginWrite(): Promise<PoolWriter> {
    return await beginWrite(this.#parts);
  }

  async openDisk(disk: ManifestDisk): Promise<DiskSource> {
    return await openDisk(this.#blocks, disk);
  }

  async restoreDisk(
    disk: ManifestDisk,
    target: WritableDisk,
    options?: EngineOptions & { readonly sha256?: boolean },
  ): Promise<RestoreResult> {
    return await restoreDisk(this.#threads, this.#blocks, disk, target, options);
  }

  async compareDisk(disk: ManifestDisk, source: DiskSource, options?: EngineOptions): Promise<DiskComparison> {
    return await compareDisk(this.#threads, this.#blocks, disk, source, options);
  }

  async compareDisks(before: ManifestDisk, after: ManifestDisk, options?: Pick<EngineOptions, 'signal'>): Promise<ByteRange[]> {
    return await compareMaps(this.#blocks, before, after, options);
  }

  async identifyRange(disk: ManifestDisk, range: ByteRange): Promise<string> {
    return await identifyRange(this.#blocks, disk, range);
  }

  async readBack(manifest: Manifest, options?: EngineOptions): Promise<{ readonly blocksRead: number; readonly bytesRead: number }> {
    return await readBack(this.#threads, this.#blocks, manifest, options);
  }

  async check(options: CheckOptions): Promise<PoolCheckResult> {
    return await checkPool(this.#parts, options);
  }

  async moveToTrash(seq: number, reason: string): Promise<void> {
    await assertOwned(this.#pool, this.#records);
    await withReserve(this.#pool.store, () => this.#trash.add(seq, reason));
  }

  async listTrash(): Promise<TrashedManifest[]> {
    return await this.#trash.list();
  }

  async purge(seqs: readonly number[]): Promise<void> {
    await withReserve(this.#pool.store, () =>
      withPoolLock(this.#pool, 'commit', async () => {
        await assertOwned(this.#pool, this.#records);
        await this.#roll.purge(seqs);
      }),
    );
    await this.#trash.removePurged();
  }

  async planSweep(options: EngineOptions & { readonly without?: readonly number[] } = {}): Promise<SweepPlan> {
    return await planSweep(this.#parts, options);
  }

  async sweep(options: EngineOptions = {}): Promise<SweepPlan> {
    const { store } = this.#pool;
    const freed = await withReserve(store, () => sweep(this.#parts, this.#waitMs, options));
    if (freed.bytesFreed > 0) await restoreReserve(store, this.#header.reserveBytes);
    return freed;
  }

  async usage(): Promise<PoolUsage> {
    return await poolUsage(this.#pool.store, await this.#index.summaries(), await this.listManifests());
  }

  async addKey(passphrase: string): Promise<{ readonly keyId: string }> {
    const createdAt = new Date(this.#pool.clock.now()).toISOString();
    const options = { random: this.#pool.random, createdAt, derivation: DEFAULT_DERIVATION };
    await assertOwned(this.#pool, this.#records);
    return { keyId: await wrapKey(this.#keyRing, this.#requireMaster(), passphrase, options) };
  }

  async removeKey(keyId: string): Promise<void> {
    this.#requireMaster();
    await withPoolLock(this.#pool, 'commit', async () => {
      await assertOwned(this.#pool, this.#records);
      await removeKey(this.#keyRing, keyId);
    });
  }

  async listKeys(): Promise<KeyInfo[]> {
    return await listKeys(this.#keyRing);
  }

  async exportKey(): Promise<string> {
    return formatRecoveryKey(this.#requireMaster());
  }

  /** Makes the index whole from what lies in the packs: after an import, or when segments are lost or damaged. */
  async repairIndex(): Promise<void> {
    await adoptDeadEpochs(this.#parts);
    await this.#index.repair();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#threads[Symbol.asyncDispose]();
  }

  get #keyRing() {
    return { store: this.#pool.store, header: this.#header };
  }

  get #blocks(): PoolBlocks {
    const { blockSize, compressionLevel } = this.#header;
    return new PoolBlocks(this.#pool, this.#index, { blockSize, compressionLevel });
  }

  get #parts(): WriterParts {
    return {
      pool: this.#pool,
      header: this.#header,
      records: this.#records,
      roll: this.#roll,
      index: this.#index,
      threads: this.#threads,
    };
  }

  #requireMaster(): Uint8Array {
    if (!this.#master) throw new NotEncryptedError();
    return this.#master;
  }
}
