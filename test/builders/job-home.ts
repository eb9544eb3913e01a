import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMemoryCatalog } from '../../src/catalogs/memory/memory-catalog.ts';
import { openJournal } from '../../src/core/journal.ts';
import type { PoolConfiguration, Ports } from '../../src/core/ports.ts';
import { diskFormats } from '../../src/disks/registry.ts';
import { fileSystems } from '../../src/filesystems/registry.ts';
import type { Host, HostConfiguration } from '../../src/hosts/host.ts';
import { hostKinds } from '../../src/hosts/registry.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Locks } from '../../src/lib/locks.ts';
import { createMemoryLocks } from '../../src/lib/memory-locks.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { createPool } from '../../src/pool/open-pool.ts';
import type { Pool } from '../../src/pool/pool.ts';
import { openStore } from '../../src/stores/registry.ts';
import { aMemoryPool, type MemoryPool } from './memory-pool.ts';

const MiB = 2 ** 20;
export const DISK_BYTES = 4 * MiB;

export interface LabVm {
  readonly name: string;
  readonly id: string;
  readonly folder: string;
}

/** A home over a real lab with real VHDX disks and a pool in memory: what a use case needs, in one call. */
export interface JobHome<P extends Pool = MemoryPool> {
  readonly folder: string;
  readonly ports: Ports;
  readonly pool: P;
  /** What time it is; tests move it. */
  now: number;
  vm(name: string): LabVm;
  /** Writes into a disk as its guest would. */
  write(vm: string, disk: number, offset: number, text: string): Promise<void>;
  /** The content of a disk as its guest sees it. */
  content(vm: string, disk: number): Promise<Buffer>;
  /** Changes vm.json. */
  change(vm: string, change: (definition: LabDefinition) => void): Promise<void>;
  faults(vm: string, ...names: string[]): Promise<void>;
  /** The same home in another process: other locks would be the same, other ports are new. */
  withHost(wrap: (host: Host) => Host): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface LabDefinition {
  name: string;
  state: string;
  os: string;
  integrationServices: { version: string; vss: boolean };
  disks: { id?: string; controller: string; path: string }[];
}

export interface AVm {
  readonly name: string;
  readonly disks?: number;
  readonly state?: string;
}

export async function aJobHome(vms: readonly AVm[] = [{ name: 'web' }]): Promise<JobHome<MemoryPool>> {
  return aHomeOver(vms, async () => aMemoryPool());
}

/** The same over a real pool in a folder; `workers: 0` keeps all in this thread. */
export async function aRealHome(vms: readonly AVm[] = [{ name: 'web' }]): Promise<JobHome<Pool>> {
  return aHomeOver(vms, async (folder, locks) => {
    await mkdir(join(folder, 'pool'));
    const store = openStore({ type: 'local', path: join(folder, 'pool') });
    const { pool } = await createPool(store, {
      clock: systemClock,
      random: systemRandom,
      locks,
      homeId: 'home',
      workers: 0,
      blockSize: 65_536,
    });
    return pool;
  });
}

async function aHomeOver<P extends Pool>(vms: readonly AVm[], openPool: (folder: string, locks: Locks) => Promise<P>): Promise<JobHome<P>> {
  const folder = await mkdtemp(join(tmpdir(), 'mabs-jobs-'));
  const lab = join(folder, 'lab');
  const made = new Map<string, LabVm>();
  for (const [index, { name, disks = 1, state = 'running' }] of vms.entries()) {
    made.set(name, await makeVm(lab, name, index, disks, state));
  }
  const locks = createMemoryLocks();
  const pool = await openPool(folder, locks);
  const hosts: HostConfiguration[] = [{ name: 'hv1', type: 'lab', path: lab }];
  const pools: PoolConfiguration[] = [{ name: 'main', id: pool.info.id, path: join(folder, 'pool') }];
  const kinds = hostKinds(diskFormats);
  let host: Host = await kinds.open(hosts[0]!);
  const home: JobHome<P> = {
    folder,
    pool,
    now: Date.now(),
    vm: (name) => made.get(name)!,
    async write(name, disk, offset, text) {
      await using simulated = await kinds.openSimulated(lab);
      const bytes = Buffer.from(text);
      await simulated.write(made.get(name)!.id, {
        disk: `disk${disk}`,
        pieces: [{ offset, length: bytes.length, content: { read: async () => bytes } }],
      });
    },
    async content(name, disk) {
      const vm = await readDefinition(made.get(name)!.folder);
      await using source = await diskFormats.open(join(made.get(name)!.folder, vm.disks[disk]!.path));
      const bytes = Buffer.alloc(source.sizeBytes);
      await source.read(0, bytes);
      return bytes;
    },
    async change(name, change) {
      const { folder: own } = made.get(name)!;
      const definition = await readDefinition(own);
      change(definition);
      await writeFile(join(own, 'vm.json'), JSON.stringify(definition));
    },
    faults: (name, ...names) => writeFile(join(made.get(name)!.folder, 'faults.json'), JSON.stringify(names)),
    withHost(wrap) {
      host = wrap(host);
    },
    ports: {
      clock: { now: () => home.now },
      random: systemRandom,
      locks,
      waitMs: 0,
      home: {
        path: join(folder, 'home'),
        id: 'home',
        listHosts: async () => hosts,
        putHost: async () => {},
        removeHost: async (name) => {
          hosts.splice(
            hosts.findIndex((known) => known.name === name),
            1,
          );
        },
        listPools: async () => pools,
        putPool: async (changed) => {
          pools.splice(0, 1, changed);
        },
        removePool: async () => {},
        journal: openJournal(join(folder, 'journal'), systemRandom),
      },
      catalog: openMemoryCatalog(),
      diskFormats,
      fileSystems,
      openHost: async (name) => {
        if (!hosts.some((known) => known.name === name)) throw Object.assign(new Error(`no host ${name}`), { code: 'MABS-HOST-UNKNOWN' });
        return host;
      },
      openPool: async () => pool,
    },
    async [Symbol.asyncDispose]() {
      await pool[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return home;
}

/** Moves a disk's file, with its tracking, to another place in the VM's folder. */
export async function moveDisk(home: Pick<JobHome, 'vm'>, vm: string, from: string, to: string): Promise<void> {
  const { folder } = home.vm(vm);
  await rename(join(folder, from), join(folder, to));
  await rename(join(folder, `${from}.rct.json`), join(folder, `${to}.rct.json`));
}

/** A new dynamic VHDX with tracking and a few bytes in it. */
export async function makeDisk(folder: string, file: string, text: string, sizeBytes = DISK_BYTES): Promise<void> {
  await using disk = await diskFormats.get('vhdx').create(join(folder, file), { sizeBytes, subformat: 'dynamic', blockSize: MiB });
  await disk.write(0, Buffer.from(text));
  await disk.flush();
  await writeFile(join(folder, `${file}.rct.json`), JSON.stringify({ current: `${text}-1`, history: [] }));
}

async function makeVm(lab: string, name: string, index: number, disks: number, state: string): Promise<LabVm> {
  const folder = join(lab, name);
  const id = `0000000${index}-1111-2222-3333-444444444444`;
  await mkdir(folder, { recursive: true });
  const definitions = [];
  for (let disk = 0; disk < disks; disk++) {
    await makeDisk(folder, `disk${disk}.vhdx`, `${name}-${disk}`);
    definitions.push({ id: `d${disk}`, controller: 'scsi', path: `disk${disk}.vhdx` });
  }
  const integrationServices = { version: '10.0', vss: true };
  await writeFile(
    join(folder, 'vm.json'),
    JSON.stringify({ id, name, generation: 2, state, os: 'windows', integrationServices, disks: definitions }),
  );
  return { name, id, folder };
}

async function readDefinition(folder: string): Promise<LabDefinition> {
  return JSON.parse(await readFile(join(folder, 'vm.json'), 'utf8')) as LabDefinition;
}
