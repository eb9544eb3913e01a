import { openCatalog } from '../../src/catalogs/registry.ts';
import type { Implementations } from '../../src/core/implementations.ts';
import { diskFormats } from '../../src/disks/registry.ts';
import { fileSystems } from '../../src/filesystems/registry.ts';
import { hostKinds } from '../../src/hosts/registry.ts';
import { createSqliteLocks } from '../../src/lib/sqlite-locks.ts';
import { createPool, importPool, openPool } from '../../src/pool/open-pool.ts';
import { openStore } from '../../src/stores/registry.ts';

/** The real implementations, joined as main.ts joins them, except that pools do their work in the calling thread. */
export const implementations: Implementations = {
  diskFormats: async () => diskFormats,
  fileSystems: async () => fileSystems,
  hostKinds: async () => hostKinds(diskFormats),
  openCatalog,
  openLocks: async (folder) => createSqliteLocks(folder),
  poolVolumes: async () => ({
    create: (path, options, access) =>
      createPool(openStore({ type: 'local', path }), {
        ...access,
        ...options,
        workers: 0,
        keyDerivation: { cost: 2, blockSize: 1, parallelization: 1 },
      }),
    open: (path, access) => openPool(openStore({ type: 'local', path }), { ...access, workers: 0 }),
    takeOver: (path, access) => importPool(openStore({ type: 'local', path }), { ...access, workers: 0 }),
  }),
};
