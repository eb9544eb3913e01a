import type { Catalog } from '../catalogs/catalog.ts';
import type { DiskFormats } from '../disks/disk-format.ts';
import type { FileSystems } from '../filesystems/file-system.ts';
import type { HostKinds } from '../hosts/host.ts';
import type { Clock } from '../lib/clock.ts';
import type { Locks } from '../lib/locks.ts';
import type { Random } from '../lib/random.ts';
import type { Pool } from '../pool/pool.ts';
import type { NewPool } from './ports.ts';

/** Everything that `main.ts` joins to the core. Each is loaded when it is first asked for. */
export interface Implementations {
  diskFormats(): Promise<DiskFormats>;
  fileSystems(): Promise<FileSystems>;
  hostKinds(): Promise<HostKinds>;
  /** Opens the catalog in this file, and makes it where there is none. A damaged one is set aside and made anew. */
  openCatalog(path: string): Promise<Catalog>;
  /** Locks of the home, as files in this folder. */
  openLocks(folder: string): Promise<Locks>;
  poolVolumes(): Promise<PoolVolumes>;
}

/** What a pool is opened with. */
export interface PoolAccess {
  readonly clock: Clock;
  readonly random: Random;
  readonly locks: Locks;
  readonly homeId: string;
  /** `--wait` in milliseconds. */
  readonly waitMs: number;
  /** Asked for only by an encrypted pool. */
  readonly passphrase: () => Promise<string>;
}

/** Pools as folders on this machine or a share. */
export interface PoolVolumes {
  /** Makes a pool, owned by the home. The folder is made, or empty. The recovery key of an encrypted one is told once. */
  create(path: string, options: NewPool, access: PoolAccess): Promise<{ readonly pool: Pool; readonly recoveryKey?: string }>;
  open(path: string, access: PoolAccess): Promise<Pool>;
  /** Opens it and makes the home its owner. */
  takeOver(path: string, access: PoolAccess): Promise<Pool>;
}
