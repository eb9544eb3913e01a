import { join } from 'node:path';
import type { Catalog } from '../catalogs/catalog.ts';
import type { Host } from '../hosts/host.ts';
import type { Clock } from '../lib/clock.ts';
import { MabsError } from '../lib/errors.ts';
import type { Locks } from '../lib/locks.ts';
import type { Random } from '../lib/random.ts';
import { nearNames } from '../model/near-names.ts';
import type { Pool } from '../pool/pool.ts';
import { HomeMissingError, locksFolder, openHome, sameName } from './home.ts';
import { readHomeFile } from './home-files.ts';
import type { Implementations, PoolAccess } from './implementations.ts';
import { tellLostObjects } from './lost-manifests.ts';
import type { AdminPorts, Home, PoolConfiguration, SecretReference } from './ports.ts';
import { refreshCatalog } from './refresh-catalog.ts';
import { readSecret } from './secrets.ts';

/** What the process that opens the ports brings along. */
export interface PortsContext {
  readonly homePath: string;
  readonly waitMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** Where the passphrase is, as this command says; goes before what the home knows of the pool. */
  readonly secret: SecretReference | undefined;
  /** Asks for a passphrase; throws where nobody can be asked. */
  askSecret(message: string, options?: { readonly twice?: boolean; readonly flags?: string }): Promise<string>;
}

/** Ports that close everything that was opened through them. */
export type OpenedPorts = AdminPorts & AsyncDisposable;

/** Opens the home at `homePath` and what is behind it; MABS-HOME-MISSING. Hosts and pools are opened when they are asked for. */
export async function openPorts(implementations: Implementations, context: PortsContext): Promise<OpenedPorts> {
  const { homePath, clock, random, waitMs } = context;
  // Before anything is made in a folder that is no home.
  if (!(await readHomeFile(homePath, 'home.json'))) throw new HomeMissingError(homePath);
  await using opened = new AsyncDisposableStack();
  const locks = await implementations.openLocks(locksFolder(homePath));
  const home = await openHome(homePath, { locks, random });
  const catalog = opened.use(await implementations.openCatalog(join(homePath, 'catalog.db')));
  const [diskFormats, fileSystems] = await Promise.all([implementations.diskFormats(), implementations.fileSystems()]);
  const hosts = new Map<string, Promise<Host>>();
  const pools = new Map<string, Promise<Pool>>();
  const base = { home, locks };
  const whole = opened.move();
  return {
    clock,
    random,
    locks,
    waitMs,
    home,
    catalog,
    diskFormats,
    fileSystems,
    openHost: (name) => once(hosts, name, async () => whole.use(await openHost(implementations, home, name))),
    openPool: (name) => once(pools, name, async () => whole.use(await openKnownPool(implementations, context, { ...base, catalog, name }))),
    openHostAt: async (configuration) => whole.use(await (await implementations.hostKinds()).open(configuration)),
    async createPool(path, options) {
      const access = poolAccess(context, { ...base, what: path, fresh: true });
      const made = await (await implementations.poolVolumes()).create(path, options, access);
      whole.use(made.pool);
      return made;
    },
    async takeOverPool(path, configuration) {
      const access = poolAccess(context, { ...base, ...(configuration && { configuration }), what: path });
      return whole.use(await (await implementations.poolVolumes()).takeOver(path, access));
    },
    newPassphrase: (reference) =>
      reference
        ? readSecret(reference, context.signal)
        : context.askSecret('New passphrase', { twice: true, flags: '--new-passphrase-file or --new-passphrase-command' }),
    [Symbol.asyncDispose]: () => whole.disposeAsync(),
  };
}

interface PoolToOpen {
  readonly home: Home;
  readonly locks: Locks;
  readonly configuration?: PoolConfiguration;
  /** For the prompt. */
  readonly what: string;
  /** A new passphrase is asked for twice. */
  readonly fresh?: boolean;
}

/** What a pool is opened with in this process; `configuration` as far as the home knows the pool. */
function poolAccess(context: PortsContext, { home, locks, configuration, what, fresh = false }: PoolToOpen): PoolAccess {
  const { clock, random, waitMs, signal } = context;
  const reference = context.secret ?? configuration?.secret;
  const ask = () => context.askSecret(`Passphrase of ${what}`, { twice: fresh });
  const passphrase = () => (reference ? readSecret(reference, signal) : ask());
  return { clock, random, locks, homeId: home.id, waitMs, passphrase };
}

async function openHost(implementations: Implementations, home: Home, name: string): Promise<Host> {
  const hosts = await home.listHosts();
  const configuration = hosts.find((host) => sameName(host.name, name));
  if (!configuration)
    throw new HostUnknownError(
      name,
      hosts.map((host) => host.name),
    );
  return (await implementations.hostKinds()).open(configuration);
}

async function openKnownPool(
  implementations: Implementations,
  context: PortsContext,
  { home, locks, catalog, name }: { home: Home; locks: Locks; catalog: Catalog; name: string },
): Promise<Pool> {
  const configuration = await getPoolConfiguration(home, name);
  const access = poolAccess(context, { home, locks, configuration, what: `pool ${configuration.name}` });
  const pool = await (await implementations.poolVolumes()).open(configuration.path, access);
  try {
    if (pool.info.id !== configuration.id) throw new PoolReplacedError(configuration);
    const lost = await refreshCatalog(catalog, pool);
    await tellLostObjects({ catalog, clock: context.clock, random: context.random }, configuration.name, lost);
    return pool;
  } catch (error) {
    await pool[Symbol.asyncDispose]();
    throw error;
  }
}

/** What the home knows of a pool; MABS-POOL-UNKNOWN. */
export async function getPoolConfiguration(home: Home, name: string): Promise<PoolConfiguration> {
  const pools = await home.listPools();
  const found = pools.find((pool) => sameName(pool.name, name));
  if (!found)
    throw new PoolUnknownError(
      name,
      pools.map((pool) => pool.name),
    );
  return found;
}

/** One opening for all who ask; an opening that failed may be tried again. */
function once<T>(opened: Map<string, Promise<T>>, name: string, open: () => Promise<T>): Promise<T> {
  const key = name.toLowerCase();
  const known = opened.get(key);
  if (known) return known;
  const opening = open();
  opened.set(key, opening);
  opening.catch(() => opened.delete(key));
  return opening;
}

export class HostUnknownError extends MabsError {
  readonly code = 'MABS-HOST-UNKNOWN';
  readonly hint: string;
  constructor(name: string, known: readonly string[]) {
    super(`there is no host named ${name}`);
    this.hint = hintFor(name, known, 'Add it with mabs host add; mabs host list shows those that are known.');
  }
}

export class PoolUnknownError extends MabsError {
  readonly code = 'MABS-POOL-UNKNOWN';
  readonly hint: string;
  constructor(name: string, known: readonly string[]) {
    super(`there is no pool named ${name}`);
    this.hint = hintFor(name, known, 'Make one with mabs pool add; mabs pool list shows those that are known.');
  }
}

export class PoolReplacedError extends MabsError {
  readonly code = 'MABS-POOL-REPLACED';
  readonly hint = 'Is the right volume mounted there? Another pool is added with mabs pool import under a name of its own.';
  constructor({ name, path }: PoolConfiguration) {
    super(`${path} holds another pool than ${name}`);
  }
}

function hintFor(name: string, known: readonly string[], otherwise: string): string {
  const near = nearNames(name, known);
  return near.length > 0 ? `Did you mean ${near.join(' or ')}?` : otherwise;
}
