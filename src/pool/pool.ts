import type { WritableDisk } from '../disks/disk-format.ts';
import type { DiskSource } from '../disks/disk-source.ts';
import type { ByteRange } from '../lib/byte-range.ts';
import type { Manifest, ManifestDisk, StoredManifest } from '../model/manifest.ts';

/** What a pool says of itself; fixed when it is made. */
export interface PoolInfo {
  readonly id: string;
  readonly formatVersion: number;
  readonly encrypted: boolean;
  /** Bytes of the virtual disk in a block, a power of two from 64 KiB to 1 MiB. */
  readonly blockSize: number;
  readonly createdAt: string;
}

/** Called at most ten times a second, and once at the end. */
export type OnProgress = (progress: { readonly doneBytes: number; readonly totalBytes: number }) => void;

export interface EngineOptions {
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** Which numbers the roll of manifests has. A number that is known from before and explained by nothing here belongs to a lost manifest. */
export interface RollState {
  /** Neither in the trash nor purged, ascending. */
  readonly live: readonly number[];
  /** There or purged: every number that is accounted for. */
  isExplained(seq: number): boolean;
  /** The highest number that is there or purged: the next commit takes the one after it. */
  readonly highest: number;
}

/** Kinds of numbered, write-once records; the highest number of an owner counts. */
export type RecordKind = 'base' | 'group' | 'hold' | 'verified' | 'drill' | 'owner' | 'trash' | 'condemned' | 'check';

export interface PoolRecord {
  readonly kind: RecordKind;
  readonly owner: string;
  readonly number: number;
  readonly payload: unknown;
}

export interface DiskWriteRequest extends EngineOptions {
  readonly source: DiskSource;
  /** The replica's map of this disk, against which blocks are compared; absent for a disk that the pool does not know. */
  readonly base?: {
    readonly root: string;
    readonly virtualSize: number;
    readonly leftOut: readonly ByteRange[];
    /** Spares a walk through the base's map. */
    readonly dataBytes?: number;
  };
  /** What may have changed since the base. Absent: everything is read and compared. */
  readonly ranges?: readonly ByteRange[];
  /** Ranges that are not kept; they are neither read nor stored, and read as zero. */
  readonly leftOut: readonly ByteRange[];
  /** Cross-check unchanged blocks against the base by sampling (only with `ranges`). */
  readonly sample: boolean;
  /** Makes the choice of samples repeatable; by chance when absent. */
  readonly seed?: string;
  /** Decompress and digest every new block again before it counts. Off only for an initial replica, which is read back later. */
  readonly verifyNew: boolean;
  /**
   * Read back the stored copy of every block of the map that is not stored anew, and store it again from the source where that copy
   * is missing or damaged, whatever the index says (a block stored twice is legal; the copy stored last counts). `blocksMended`
   * counts them. A page of the base's map that cannot be read is no error then: what it names counts as not known.
   */
  readonly mend?: boolean;
}

export interface DiskWriteResult {
  readonly root: string;
  readonly dataBytes: number;
  readonly bytesScanned: number;
  readonly bytesSampled: number;
  /**
   * Bytes and number of blocks that differ from the base (from an all-zero disk where there is none). Blocks of which something is left
   * out on one side only are not compared: they are read and stored, and count here as nothing.
   */
  readonly bytesChanged: number;
  readonly blocksDiffering: number;
  /** Uncompressed bytes of blocks that the pool did not have. */
  readonly bytesTransferred: number;
  readonly bytesStored: number;
  /** Blocks that the tracking called unchanged and that differ. When not zero, `root` must not be committed: write again without `ranges`. */
  readonly sampleMismatches: number;
  /** Base blocks whose stored copy is missing or damaged and that were stored again from the source. */
  readonly blocksMended: number;
}

/** A run that adds to the pool. It holds an epoch: what it uses is not swept while it lives. */
export interface PoolWriter extends AsyncDisposable {
  writeDisk(request: DiskWriteRequest): Promise<DiskWriteResult>;
  /** Makes all packs written so far durable and indexed, then the manifest: the commit point. */
  commitManifest(manifest: Manifest): Promise<StoredManifest>;
}

export interface RestoreResult {
  /** Uncompressed payload written; zeros count nothing. */
  readonly bytesWritten: number;
  /** SHA-256 of the whole raw disk, where it was asked for. */
  readonly sha256?: string;
}

export type CheckDepth = 'structure' | 'new' | 'sample' | 'all';

export interface CheckOptions extends EngineOptions {
  readonly depth: CheckDepth;
  /** Ends before everything was read once so much time has passed. */
  readonly budgetMs?: number;
  /** Goes on where a check that ended by its budget has stopped. */
  readonly resume?: boolean;
  /** Ids of manifests that need not be read again, with `new`. */
  readonly alreadyVerified?: ReadonlySet<string>;
}

export interface TrashedManifest extends StoredManifest {
  readonly trashedAt: string;
  readonly reason: string;
}

export interface Damage {
  /** Name of the pool's object, relative to the pool. */
  readonly file: string;
  readonly offset: number;
  readonly kind: string;
  /** Ids of the points that need what is damaged. */
  readonly affectedPoints: readonly string[];
}

export interface PoolCheckResult {
  readonly status: 'ok' | 'damaged' | 'repaired';
  readonly blocksRead: number;
  readonly bytesRead: number;
  readonly damage: readonly Damage[];
  /** Manifests all of whose blocks were read and are right. */
  readonly verified: readonly string[];
  /** False when the budget ended first; `--resume` goes on from there. */
  readonly complete: boolean;
}

export interface SweepPlan {
  /** Blocks that neither live manifests nor the trash reach, and what they take in packs. */
  readonly deadBlocks: number;
  readonly deadBytes: number;
  readonly packsToRemove: readonly string[];
  readonly packsToRewrite: readonly string[];
  readonly bytesFreed: number;
}

export interface PoolUsage {
  readonly capacityBytes: number;
  readonly freeBytes: number;
  /** Virtual bytes of data of all live points (not zero, not left out). */
  readonly logicalBytes: number;
  readonly storedBytes: number;
  readonly blocks: number;
}

/**
 * A pool volume, opened. Readers need nothing else; writers name the home that owns the pool and are fenced
 * (MABS-POOL-FENCED) when it no longer does.
 */
export interface Pool extends AsyncDisposable {
  readonly info: PoolInfo;

  /**
   * All manifests of the roll that are neither in the trash nor purged, ascending. One that is lost or damaged is left out (`check`
   * tells it), so that the others can be restored; for whoever concludes something from absence, `strict` rejects: with
   * MABS-POOL-ROLL-GAP where one is missing.
   */
  listManifests(options?: { readonly afterSeq?: number; readonly strict?: boolean }): Promise<StoredManifest[]>;
  /** Numbers of the roll as they are now: the cheap way to see whether a cache is current. */
  listRoll(): Promise<RollState>;

  putRecord(kind: RecordKind, owner: string, payload: unknown): Promise<PoolRecord>;
  /** The record that counts for each owner, by owner. */
  latestRecords(kind: RecordKind): Promise<Map<string, PoolRecord>>;
  latestRecord(kind: RecordKind, owner: string): Promise<PoolRecord | undefined>;

  beginWrite(): Promise<PoolWriter>;

  /** A disk of a manifest as a disk source; every block is verified against its digest before it is handed out. */
  openDisk(disk: ManifestDisk): Promise<DiskSource>;
  /** Writes a disk's content to a new, all-zero target. Every block is verified before a byte of it is written. */
  restoreDisk(disk: ManifestDisk, target: WritableDisk, options?: EngineOptions & { readonly sha256?: boolean }): Promise<RestoreResult>;
  /** Digests a whole source and answers the root of its map, and where it differs from `disk`. Nothing is stored. */
  compareDisk(
    disk: ManifestDisk,
    source: DiskSource,
    options?: EngineOptions,
  ): Promise<{ readonly differing: readonly ByteRange[]; readonly bytesRead: number }>;
  /**
   * Where two stored disks of this pool differ, in whole blocks, by their maps alone: no data is read, and no page of the maps that
   * both share. What one left out reads as zero, so a range that only one left out differs. Where sizes differ, a disk counts as zero
   * behind its end. Normalized.
   */
  compareDisks(before: ManifestDisk, after: ManifestDisk, options?: Pick<EngineOptions, 'signal'>): Promise<readonly ByteRange[]>;
  /**
   * Names the content of a range of a stored disk, by its map alone: where two answers are equal, so are the bytes. Different ones prove
   * nothing: what lies beside the range in its first and last block counts, too.
   */
  identifyRange(disk: ManifestDisk, range: ByteRange): Promise<string>;
  /** Reads every block of a manifest back and digests it. MABS-BLOCK-DAMAGED (kind damaged) with the file when one is wrong. */
  readBack(manifest: Manifest, options?: EngineOptions): Promise<{ readonly blocksRead: number; readonly bytesRead: number }>;

  check(options: CheckOptions): Promise<PoolCheckResult>;

  /** Moves a manifest to the trash: it no longer lists, its blocks stay. The commit of a removal. */
  moveToTrash(seq: number, reason: string): Promise<void>;
  listTrash(): Promise<TrashedManifest[]>;
  /** Purges manifests from the trash (or replicas that were replaced) for good; their space returns by `sweep`. */
  purge(seqs: readonly number[]): Promise<void>;
  /** What a sweep would free when the manifests in `without` were purged. Changes nothing. */
  planSweep(options?: EngineOptions & { readonly without?: readonly number[] }): Promise<SweepPlan>;
  /** Marks, condemns, waits for no one: removes only what no live, trashed or in-flight manifest reaches (architecture §3.3). */
  sweep(options?: EngineOptions): Promise<SweepPlan>;

  usage(): Promise<PoolUsage>;

  addKey(passphrase: string): Promise<{ readonly keyId: string }>;
  removeKey(keyId: string): Promise<void>;
  listKeys(): Promise<{ readonly keyId: string; readonly kind: 'passphrase' | 'recovery'; readonly createdAt: string }[]>;
  /** The recovery key in words or groups, from which the master key can be had again. */
  exportKey(): Promise<string>;
}
