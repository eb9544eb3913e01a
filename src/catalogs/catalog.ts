import type { StoredManifest } from '../model/manifest.ts';

/** A manifest as cached: which pool it lies in, and whether it lies in the trash. */
export interface CachedManifest extends StoredManifest {
  readonly poolId: string;
}

export type JobState = 'running' | 'ok' | 'partly' | 'failed' | 'interrupted';

export interface Job {
  readonly id: string;
  /** `sync`, `checkpoint`, `consistency-check`, `recover`, `prune`, `pool-check`. */
  readonly kind: string;
  readonly state: JobState;
  readonly startedAt: string;
  readonly finishedAt?: string;
  readonly processId: number;
  /** VMs as HOST/NAME, pools, whatever the job is about. */
  readonly subjects: readonly string[];
  /** The report that the command printed (or the error), as JSON. */
  readonly result?: unknown;
}

export interface Alert {
  readonly id: string;
  readonly code: string;
  readonly severity: 'critical' | 'warning' | 'info';
  /** What it is about: a VM as HOST/NAME, a pool, a host. The same code and subject is one alert. */
  readonly subject: string;
  readonly message: string;
  readonly hint: string;
  readonly raisedAt: string;
  readonly resolvedAt?: string;
  readonly count: number;
}

/** A record of a pool as cached. */
export interface CachedRecord {
  readonly poolId: string;
  readonly kind: string;
  readonly owner: string;
  readonly number: number;
  readonly payload: unknown;
}

/**
 * What a home remembers. Of the pools it is a cache: losing it loses nothing, and it may lag behind; `replace…` brings it up to
 * date. Jobs, alerts and statistics live only here. Several processes use it at once; each method is atomic.
 */
export interface Catalog extends AsyncDisposable {
  knownSeqs(poolId: string): Promise<Set<number>>;
  addManifests(poolId: string, manifests: readonly StoredManifest[]): Promise<void>;
  removeManifests(poolId: string, seqs: readonly number[]): Promise<void>;
  /** Ascending by capturedAt, then seq. */
  listManifests(filter?: {
    readonly poolId?: string;
    readonly datasource?: string;
    readonly kind?: 'replica' | 'point';
  }): Promise<CachedManifest[]>;
  findManifest(id: string): Promise<CachedManifest | undefined>;
  /** Makes the cached records of one kind of a pool exactly these. */
  replaceRecords(poolId: string, kind: string, records: readonly CachedRecord[]): Promise<void>;
  /** Adds one record, or replaces the one of its pool, kind and owner. */
  putRecord(record: CachedRecord): Promise<void>;
  /** Ascending by pool and owner. */
  listRecords(kind: string, poolId?: string): Promise<CachedRecord[]>;
  forgetPool(poolId: string): Promise<void>;

  startJob(job: Job): Promise<void>;
  finishJob(id: string, state: JobState, finishedAt: string, result: unknown): Promise<void>;
  findJob(id: string): Promise<Job | undefined>;
  /** Newest first. */
  listJobs(limit: number): Promise<Job[]>;

  /** Raises it; where one of this code and subject stands open, that one counts up and takes the new words. */
  raiseAlert(alert: Omit<Alert, 'count' | 'resolvedAt'>): Promise<void>;
  /** Resolves open alerts of this code and subject, if any (`code` absent: all of the subject). */
  resolveAlerts(filter: { readonly id?: string; readonly code?: string; readonly subject?: string }, at: string): Promise<number>;
  /** Ascending by raisedAt; open ones only, unless `resolved`. */
  listAlerts(options?: { readonly resolved?: boolean }): Promise<Alert[]>;

  /** Small facts that may be lost: statistics, when something was last done. */
  getValue(key: string): Promise<unknown>;
  /** `undefined` forgets it. */
  setValue(key: string, value: unknown): Promise<void>;
}
