import type { Pool } from '../pool/pool.ts';
import { getPoolConfiguration } from './open-ports.ts';
import type { AdminPorts, Ports, SecretReference } from './ports.ts';

export type PoolKey = Awaited<ReturnType<Pool['listKeys']>>[number];

/** Adds a passphrase to an encrypted pool, from where `secret` says, or asked for. */
export async function addPoolKey(
  ports: AdminPorts,
  { pool: name, secret }: { readonly pool: string; readonly secret?: SecretReference },
): Promise<{ readonly pool: string; readonly keyId: string }> {
  const { pool, poolName } = await opened(ports, name);
  const { keyId } = await pool.addKey(await ports.newPassphrase(secret));
  return { pool: poolName, keyId };
}

export async function removePoolKey(ports: Ports, { pool: name, keyId }: { readonly pool: string; readonly keyId: string }): Promise<void> {
  await (await opened(ports, name)).pool.removeKey(keyId);
}

export async function listPoolKeys(ports: Ports, name: string): Promise<readonly PoolKey[]> {
  return (await opened(ports, name)).pool.listKeys();
}

export async function exportPoolKey(ports: Ports, name: string): Promise<{ readonly pool: string; readonly recoveryKey: string }> {
  const { pool, poolName } = await opened(ports, name);
  return { pool: poolName, recoveryKey: await pool.exportKey() };
}

async function opened(ports: Ports, name: string): Promise<{ readonly pool: Pool; readonly poolName: string }> {
  const { name: poolName } = await getPoolConfiguration(ports.home, name);
  return { pool: await ports.openPool(poolName), poolName };
}
