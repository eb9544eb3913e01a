import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { makeFolderDurably } from '../lib/durable-files.ts';
import { MabsError } from '../lib/errors.ts';
import { groupSchema } from '../model/group.ts';
import { NotEmptyError } from '../pool/open-pool.ts';
import type { PoolUsage } from '../pool/pool.ts';
import { HEADER_NAME } from '../pool/pool-header.ts';
import { checkEntityName, NameTakenError } from './entity-name.ts';
import { sameName } from './home.ts';
import { tellLostObjects } from './lost-manifests.ts';
import { getPoolConfiguration } from './open-ports.ts';
import type { AdminPorts, Home, NewPool, PoolConfiguration, Ports, SecretReference } from './ports.ts';
import { refreshCatalog } from './refresh-catalog.ts';
import { absoluteReference } from './secrets.ts';

export interface PoolAddition extends NewPool {
  readonly name: string;
  readonly path: string;
  /** Where the passphrase is found from now on. */
  readonly secret?: SecretReference;
}

export interface AddedPool {
  readonly name: string;
  readonly id: string;
  readonly path: string;
  readonly encrypted: boolean;
  /** Told this once. */
  readonly recoveryKey?: string;
}

/** Makes a pool and lets the home know it. */
export async function addPool(ports: AdminPorts, { name, path, secret, ...options }: PoolAddition): Promise<AddedPool> {
  await checkFreeName(ports.home, name);
  if (secret && !options.encrypt) throw new SecretWithoutEncryptionError();
  const folder = resolve(path);
  await prepareFolder(folder);
  const { pool, recoveryKey } = await ports.createPool(folder, options);
  await ports.home.putPool({ name, id: pool.info.id, path: folder, ...(secret && { secret: absoluteReference(secret) }) });
  return { name, id: pool.info.id, path: folder, encrypted: pool.info.encrypted, ...(recoveryKey !== undefined && { recoveryKey }) };
}

export interface PoolImport {
  readonly path: string;
  /** The folder's name when absent; a pool that the home knows keeps its own. */
  readonly name?: string;
  readonly secret?: SecretReference;
}

export interface ImportedPool {
  readonly name: string;
  readonly id: string;
  readonly path: string;
  /** The home knew the pool: what it remembered of it was made anew. */
  readonly rebuilt: boolean;
  readonly points: number;
  readonly vms: readonly string[];
  readonly groups: readonly string[];
  readonly holds: number;
  /** Prune leaves these groups' points alone until `mabs group confirm`. */
  readonly groupsUnconfirmed: boolean;
}

/** Makes this home the owner of the pool in a folder and brings back everything that it holds: points, holds, groups. */
export async function importPool(ports: AdminPorts, { path, name, secret }: PoolImport): Promise<ImportedPool> {
  const folder = resolve(path);
  const before = await ports.home.listPools();
  const expected = before.find((known) => known.path === folder);
  if (!expected) await checkFreeName(ports.home, name ?? nameFor(folder));
  const pool = await ports.takeOverPool(folder, expected);
  const { id } = pool.info;
  const known = before.find((candidate) => candidate.id === id);
  // A folder that held another pool when the home last saw it: this one needs a name of its own.
  if (!known && expected) await checkFreeName(ports.home, name ?? nameFor(folder));
  const kept = secret ? absoluteReference(secret) : known?.secret;
  const unconfirmed = known ? known.groupsUnconfirmed === true : true;
  const configuration: PoolConfiguration = {
    name: known?.name ?? name ?? nameFor(folder),
    id,
    path: folder,
    ...(kept && { secret: kept }),
    ...(unconfirmed && { groupsUnconfirmed: true }),
  };
  await ports.home.putPool(configuration);
  await tellLostObjects(ports, configuration.name, await refreshCatalog(ports.catalog, pool, { rebuild: true }));
  return { ...(await contentOf(ports, configuration)), rebuilt: known !== undefined };
}

async function contentOf(
  { catalog }: Ports,
  { name, id, path, groupsUnconfirmed = false }: PoolConfiguration,
): Promise<Omit<ImportedPool, 'rebuilt'>> {
  const points = await catalog.listManifests({ poolId: id, kind: 'point' });
  const replicas = await catalog.listManifests({ poolId: id, kind: 'replica' });
  const vms = new Set([...points, ...replicas].map(({ manifest }) => `${manifest.host}/${manifest.vm.name}`));
  const groups = await groupsOf({ catalog }, id);
  const holds = (await catalog.listRecords('hold', id)).filter(({ payload }) => !isReleased(payload)).length;
  return {
    name,
    id,
    path,
    points: points.length,
    vms: [...vms].sort(),
    groups,
    holds,
    groupsUnconfirmed: groupsUnconfirmed && groups.length > 0,
  };
}

/** Names of the groups that a pool keeps, as far as the catalog knows: also of a pool that cannot be reached. */
async function groupsOf({ catalog }: Pick<Ports, 'catalog'>, poolId: string): Promise<string[]> {
  const groups = (await catalog.listRecords('group', poolId)).flatMap(({ payload }) => groupSchema.safeParse(payload).data ?? []);
  return groups
    .filter(({ removed }) => !removed)
    .map(({ name }) => name)
    .sort();
}

/** How much a pool holds; the fields are the contract's. */
export interface ShownPool {
  readonly name: string;
  readonly path: string;
  readonly capacity: number;
  readonly free: number;
  readonly logicalBytes: number;
  readonly storedBytes: number;
  readonly blocks: number;
  readonly points: number;
  readonly encrypted: boolean;
  readonly formatVersion: number;
  readonly id: string;
  readonly blockSize: number;
}

export async function showPool(ports: Ports, name: string): Promise<ShownPool> {
  const configuration = await getPoolConfiguration(ports.home, name);
  const pool = await ports.openPool(configuration.name);
  const usage: PoolUsage = await pool.usage();
  const { id, encrypted, formatVersion, blockSize } = pool.info;
  const points = await ports.catalog.listManifests({ poolId: id, kind: 'point' });
  return {
    name: configuration.name,
    path: configuration.path,
    capacity: usage.capacityBytes,
    free: usage.freeBytes,
    logicalBytes: usage.logicalBytes,
    storedBytes: usage.storedBytes,
    blocks: usage.blocks,
    points: points.length,
    encrypted,
    formatVersion,
    id,
    blockSize,
  };
}

/** What forgetting a pool would leave without one. */
export async function planRemovePool(
  ports: Ports,
  name: string,
): Promise<{ readonly pool: PoolConfiguration; readonly groups: readonly string[] }> {
  const pool = await getPoolConfiguration(ports.home, name);
  return { pool, groups: await groupsOf(ports, pool.id) };
}

/** Forgets a pool; nothing of it is touched. */
export async function removePool(ports: Ports, { name, id }: PoolConfiguration): Promise<void> {
  await ports.home.removePool(name);
  await ports.catalog.forgetPool(id);
}

/** What a volume holds by itself at its top. */
const OF_THE_VOLUME = ['lost+found', 'System Volume Information', '$RECYCLE.BIN', '.DS_Store'];
/** What the making of a pool leaves when it is interrupted; the next try clears it. */
const OF_A_POOL = /^(keys|records|mabs-pool(\.[0-9a-f]{12}\.tmp)?)$/;

/** Makes the folder, or sees that nothing is in it: the pool's own look knows only names that could be a pool's. */
async function prepareFolder(folder: string): Promise<void> {
  await makeFolderDurably(folder);
  const others = (await readdir(folder)).filter((name) => !OF_THE_VOLUME.includes(name) && !OF_A_POOL.test(name));
  if (others.length > 0 && !existsSync(join(folder, HEADER_NAME))) throw new NotEmptyError(folder);
}

async function checkFreeName(home: Home, name: string): Promise<void> {
  checkEntityName('pool', name);
  if ((await home.listPools()).some((pool) => sameName(pool.name, name))) throw new NameTakenError('pool', name);
}

function nameFor(folder: string): string {
  return (
    basename(folder)
      .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 64) || 'pool'
  );
}

function isReleased(payload: unknown): boolean {
  return typeof payload === 'object' && payload !== null && 'released' in payload && payload.released === true;
}

export class SecretWithoutEncryptionError extends MabsError {
  readonly code = 'MABS-POOL-SECRET-UNUSED';
  readonly hint = 'Add --encrypt, or leave the passphrase out.';
  override readonly kind = 'usage';
  constructor() {
    super('a passphrase was given, but the pool would not be encrypted');
  }
}
