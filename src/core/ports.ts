import type { Catalog } from '../catalogs/catalog.ts';
import type { DiskFormats } from '../disks/disk-format.ts';
import type { FileSystems } from '../filesystems/file-system.ts';
import type { Host, HostConfiguration } from '../hosts/host.ts';
import type { Clock } from '../lib/clock.ts';
import type { Locks } from '../lib/locks.ts';
import type { Random } from '../lib/random.ts';
import type { Pool } from '../pool/pool.ts';

/** How the secret of an encrypted pool is had: a reference, never the secret itself. */
export type SecretReference = { readonly file: string } | { readonly command: string };

export interface PoolConfiguration {
  readonly name: string;
  readonly id: string;
  /** Absolute. */
  readonly path: string;
  readonly secret?: SecretReference;
  /** Imported or rebuilt: prune waits until the groups were confirmed. */
  readonly groupsUnconfirmed?: boolean;
}

/** What a home keeps as files, each replaced whole and durably. */
export interface Home {
  readonly path: string;
  readonly id: string;
  listHosts(): Promise<HostConfiguration[]>;
  putHost(host: HostConfiguration): Promise<void>;
  removeHost(name: string): Promise<void>;
  listPools(): Promise<PoolConfiguration[]>;
  putPool(pool: PoolConfiguration): Promise<void>;
  removePool(name: string): Promise<void>;
  /**
   * Journal of what has to be cleaned up should this process die: captures and recoveries. An entry is durable when `put`
   * resolves. `owner` is the name of a lock that the writer holds: an entry whose lock nobody holds is a left-over.
   */
  journal: {
    put(entry: JournalEntry): Promise<void>;
    remove(id: string): Promise<void>;
    list(): Promise<JournalEntry[]>;
  };
}

export interface JournalEntry {
  readonly id: string;
  readonly kind: 'capture' | 'recovery';
  readonly host: string;
  readonly vmId: string;
  readonly vmName: string;
  readonly at: string;
  readonly lock: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Everything a use case reaches the world through. */
export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly locks: Locks;
  /** `--wait` in milliseconds. */
  readonly waitMs: number;
  readonly home: Home;
  readonly catalog: Catalog;
  readonly diskFormats: DiskFormats;
  readonly fileSystems: FileSystems;
  /** Opens a host by name; MABS-HOST-UNKNOWN. Opened once per process, closed with the ports. */
  openHost(name: string): Promise<Host>;
  /**
   * Opens a pool of the home by name, with its secret, and brings the catalog's cache of it up to date; MABS-POOL-UNKNOWN.
   * Opened once per process, closed with the ports.
   */
  openPool(name: string): Promise<Pool>;
}

/** What it takes to set a home up, beside everything that a job needs. Closed with the ports. */
export interface AdminPorts extends Ports {
  /** Opens a host that the home does not know yet. */
  openHostAt(configuration: HostConfiguration): Promise<Host>;
  /** Makes a pool that this home owns, in a folder that is made or empty; its recovery key, if it is encrypted, is told this once. */
  createPool(path: string, options: NewPool): Promise<{ readonly pool: Pool; readonly recoveryKey?: string }>;
  /** Opens the pool in a folder and makes this home its owner. `configuration`: what the home knows of it, if it does. */
  takeOverPool(path: string, configuration?: PoolConfiguration): Promise<Pool>;
  /** A passphrase that is to open a pool from now on: from where the reference says, or asked for twice. */
  newPassphrase(reference: SecretReference | undefined): Promise<string>;
}

export interface NewPool {
  readonly encrypt: boolean;
  /** Bytes; the pool's default when absent. */
  readonly blockSize?: number;
  readonly compression: 'normal' | 'size';
}
