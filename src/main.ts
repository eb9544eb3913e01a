import { runCommandLine } from './cli/run.ts';

/** The composition root: the one file that joins doors, core and implementations. Each is loaded when it is first needed. */
await runCommandLine(process.argv.slice(2), {
  diskFormats: async () => (await import('./disks/registry.ts')).diskFormats,
  hostKinds: async () => (await import('./hosts/registry.ts')).hostKinds((await import('./disks/registry.ts')).diskFormats),
  openCatalog: async (path) => (await import('./catalogs/registry.ts')).openCatalog(path),
  openLocks: async (folder) => (await import('./lib/file-locks.ts')).openFileLocks(folder),
  poolVolumes: async () => (await import('./pool-volumes.ts')).poolVolumes,
});
