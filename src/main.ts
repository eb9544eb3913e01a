import { runCommandLine } from './cli/run.ts';
import type { PoolVolumes } from './core/implementations.ts';
import type { BlobStore } from './stores/blob-store.ts';

/** The composition root: the one file that joins doors, core and implementations. Each is loaded when it is first needed. */
const diskFormats = async () => (await import('./disks/registry.ts')).diskFormats;
const fileSystems = async () => (await import('./filesystems/registry.ts')).fileSystems;
const hostKinds = async () => (await import('./hosts/registry.ts')).hostKinds(await diskFormats());

const poolVolumes = async (): Promise<PoolVolumes> => {
  const [{ createPool, importPool, openPool }, { openStore }] = await Promise.all([
    import('./pool/open-pool.ts'),
    import('./stores/registry.ts'),
  ]);
  const at = (path: string): BlobStore => openStore({ type: 'local', path });
  return {
    create: (path, options, access) => createPool(at(path), { ...access, ...options }),
    open: (path, access) => openPool(at(path), access),
    takeOver: (path, access) => importPool(at(path), access),
  };
};

await runCommandLine(process.argv.slice(2), {
  diskFormats,
  fileSystems,
  hostKinds,
  poolVolumes,
  openCatalog: async (path) => (await import('./catalogs/registry.ts')).openCatalog(path),
  openLocks: async (folder) => (await import('./lib/sqlite-locks.ts')).createSqliteLocks(folder),
});
