import { join } from 'node:path';
import type { HostConfiguration } from '../hosts/host.ts';
import type { Clock } from '../lib/clock.ts';
import { MabsError } from '../lib/errors.ts';
import type { Locks } from '../lib/locks.ts';
import { makeFolders } from '../lib/make-folders.ts';
import type { Random } from '../lib/random.ts';
import { replaceFile } from '../lib/replace-file.ts';
import { isoUtc } from '../lib/times.ts';
import { HOME_VERSION, type HomeFile, readHomeFile } from './home-files.ts';
import { openJournal } from './journal.ts';
import type { Home, PoolConfiguration } from './ports.ts';

/** Changes of the configuration take a moment, so that a second process waits for its turn rather than fails. */
const CHANGE_WAIT_MS = 15_000;

export class HomeMissingError extends MabsError {
  readonly code = 'MABS-HOME-MISSING';
  readonly hint: string;
  override readonly kind = 'prerequisite';
  constructor(path: string) {
    super(`there is no mabs home in ${path}`);
    this.hint = 'Make one with mabs init, or name another with --home or MABS_HOME.';
  }
}

/** Where the locks of a home lie. */
export function locksFolder(homePath: string): string {
  return join(homePath, 'locks');
}

/** Makes a home where there is none; on an existing one nothing changes. */
export async function initHome(
  path: string,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): Promise<{ readonly id: string; readonly created: boolean }> {
  const existing = await readHomeFile(path, 'home.json');
  if (existing) return { id: existing.id, created: false };
  for (const folder of ['journal', 'locks', 'log']) await makeFolders(join(path, folder), 0o700);
  const id = random.uuid();
  // Last: with it the folder is a home.
  await replaceFile(join(path, 'home.json'), json({ version: HOME_VERSION, id, createdAt: isoUtc(clock.now()) }), random.uuid());
  // Of two that make it at once, the later counts for both.
  return { id: (await readHomeFile(path, 'home.json'))?.id ?? id, created: true };
}

/** Opens a home; MABS-HOME-MISSING where there is none, MABS-HOME-NEWER where a newer mabs wrote it. */
export async function openHome(path: string, { locks, random }: { readonly locks: Locks; readonly random: Random }): Promise<Home> {
  const identity = await readHomeFile(path, 'home.json');
  if (!identity) throw new HomeMissingError(path);
  return new FolderHome(path, identity.id, locks, random);
}

class FolderHome implements Home {
  readonly path: string;
  readonly id: string;
  readonly journal: Home['journal'];
  readonly #locks: Locks;
  readonly #random: Random;

  constructor(path: string, id: string, locks: Locks, random: Random) {
    this.path = path;
    this.id = id;
    this.journal = openJournal(join(path, 'journal'), random);
    this.#locks = locks;
    this.#random = random;
  }

  async listHosts(): Promise<HostConfiguration[]> {
    return (await readHomeFile(this.path, 'hosts.json'))?.hosts ?? [];
  }

  putHost(host: HostConfiguration): Promise<void> {
    return this.#change('hosts.json', async () => {
      const hosts = (await this.listHosts()).filter((other) => !sameName(other.name, host.name));
      return { version: HOME_VERSION, hosts: [...hosts, host] };
    });
  }

  removeHost(name: string): Promise<void> {
    return this.#change('hosts.json', async () => ({
      version: HOME_VERSION,
      hosts: (await this.listHosts()).filter((host) => !sameName(host.name, name)),
    }));
  }

  async listPools(): Promise<PoolConfiguration[]> {
    return (await readHomeFile(this.path, 'pools.json'))?.pools ?? [];
  }

  putPool(pool: PoolConfiguration): Promise<void> {
    return this.#change('pools.json', async () => {
      const pools = await this.listPools();
      const index = pools.findIndex(({ id }) => id === pool.id);
      return { version: HOME_VERSION, pools: index < 0 ? [...pools, pool] : pools.with(index, pool) };
    });
  }

  removePool(name: string): Promise<void> {
    return this.#change('pools.json', async () => ({
      version: HOME_VERSION,
      pools: (await this.listPools()).filter((pool) => !sameName(pool.name, name)),
    }));
  }

  /** Reads, changes and replaces a file while no other process does. */
  async #change<Name extends 'hosts.json' | 'pools.json'>(file: Name, next: () => Promise<HomeFile<Name>>): Promise<void> {
    await using _turn = await this.#locks.acquire('home', { what: `the configuration of ${this.path}`, waitMs: CHANGE_WAIT_MS });
    await replaceFile(join(this.path, file), json(await next()), this.#random.uuid());
  }
}

/** Names of hosts and pools differ in more than case: they become folder names and words of commands. */
export function sameName(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
