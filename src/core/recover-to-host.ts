import type { Host, HostRecovery, RecoveredVm } from '../hosts/host.ts';
import { MabsError } from '../lib/errors.ts';
import { isoUtc } from '../lib/times.ts';
import type { Manifest } from '../model/manifest.ts';
import { type JobOptions, jobOptions } from './job.ts';
import { pointVm } from './known-points.ts';
import { cleanOwnLeftovers } from './leftovers.ts';
import type { JournalEntry, Ports } from './ports.ts';
import type { RecoverySource } from './recover-plan.ts';
import { refreshManifests } from './refresh-catalog.ts';
import { vmLock } from './run-members.ts';
import { dropTrackingBase } from './tracking-base.ts';
import { findReplica } from './vault.ts';
import { type RecoveredDisk, writeRecoveredDisk } from './write-recovered-disk.ts';

export interface OriginalRecovery extends JobOptions {
  readonly keepOldMs: number;
  readonly checkpoints: 'set-aside' | 'refuse';
  readonly start: boolean;
}

export interface NewVmRecovery extends JobOptions {
  readonly host: string;
  readonly path?: string;
  readonly name?: string;
  readonly network: 'disconnect' | 'keep' | Readonly<Record<string, string>>;
  readonly highlyAvailable: boolean;
  readonly start: boolean;
}

export class WholeVmOnlyError extends MabsError {
  readonly code = 'MABS-WHOLE-VM-ONLY';
  readonly hint = 'Leave :/diskN out to recover the whole VM, or recover the disk to a folder: --to folder:DIR.';
  override readonly kind = 'usage';
  constructor() {
    super('a single disk can be recovered to a folder, not into a VM');
  }
}

/** Brings a VM back on its host: new disks beside the old ones, compared with the point, then swapped in. */
export async function recoverToOriginal(ports: Ports, source: RecoverySource, request: OriginalRecovery) {
  const { manifest } = wholeVm(source).point;
  const name = vmLock(manifest.datasource);
  await using lock = await ports.locks.acquire(name, { what: pointVm(source.point), waitMs: ports.waitMs });
  await cleanOwnLeftovers(ports, lock.name);
  const host = await ports.openHost(manifest.host);
  await host.removeExpired(ports.clock.now());
  const recoveryId = ports.random.uuid();
  const { keepOldMs, checkpoints, start } = request;
  const begin: Begin = (journal) =>
    host.beginOriginalRecovery({ recoveryId, vm: recoveredVm(manifest), keepOldMs, checkpoints, start, journal });
  return await carryOut(ports, { source, host, lock: name, recoveryId, begin, original: true, ...jobOptions(request) });
}

/** Makes a new VM of a point, with a new id, on any host of the home. */
export async function recoverToHost(ports: Ports, source: RecoverySource, request: NewVmRecovery) {
  const { manifest } = wholeVm(source).point;
  const host = await ports.openHost(request.host);
  const recoveryId = ports.random.uuid();
  const name = `recovery-${recoveryId}`;
  await using stack = new AsyncDisposableStack();
  stack.defer(async () => ports.locks.forget?.(name));
  stack.use(await ports.locks.acquire(name, { what: 'this recovery', waitMs: 0 }));
  const { network, highlyAvailable, start } = request;
  const begin: Begin = (journal) =>
    host.beginNewVmRecovery({
      recoveryId,
      vm: recoveredVm(manifest),
      ...(request.name === undefined ? {} : { name: request.name }),
      ...(request.path === undefined ? {} : { path: request.path }),
      network,
      highlyAvailable,
      start,
      journal,
    });
  return await carryOut(ports, { source, host, lock: name, recoveryId, begin, original: false, ...jobOptions(request) });
}

type Facts = HostRecovery['facts'];
type Begin = (journal: (facts: Facts) => Promise<void>) => Promise<HostRecovery>;

interface Recovery extends JobOptions {
  readonly source: RecoverySource;
  readonly host: Host;
  readonly lock: string;
  readonly recoveryId: string;
  readonly begin: Begin;
  readonly original: boolean;
}

/** Journal, write, compare, apply: until the last step the host is as it was, and a crash leaves what the next job removes. */
async function carryOut(ports: Ports, order: Recovery) {
  const { source, host, recoveryId } = order;
  const recovery = await beginJournaled(ports, order);
  try {
    const written = await writeTargets(ports, order, recovery);
    if (order.original) await forgetTracking(ports, source.point.manifest);
    const { paths, keptOld } = await recovery.apply();
    await ports.home.journal.remove(recoveryId);
    const placed = new Map(paths.map(({ key, path }) => [key, path]));
    const disks = written.map(({ key, disk }): RecoveredDisk => ({ ...disk, path: placed.get(key) ?? disk.path }));
    const target = order.original ? 'original' : `host:${host.name}`;
    return { target, vm: `${host.name}/${recovery.vmName}`, vmId: recovery.vmId, disks, keptOld };
  } catch (error) {
    // Where even that fails, the journal keeps the entry, and the next job tries again.
    await recovery.abandon().then(
      () => ports.home.journal.remove(recoveryId),
      () => {},
    );
    throw error;
  }
}

/** Whatever is made on the host was journaled before; a beginning that fails is taken back at once. */
async function beginJournaled(ports: Ports, order: Recovery): Promise<HostRecovery> {
  let noted: Facts | undefined;
  const journal = async (facts: Facts) => {
    await ports.home.journal.put(journalEntry(ports, order, facts));
    noted = facts;
  };
  try {
    const recovery = await order.begin(journal);
    await journal(recovery.facts);
    return recovery;
  } catch (error) {
    if (noted)
      await order.host.abandonLeftover(noted).then(
        () => ports.home.journal.remove(order.recoveryId),
        () => {},
      );
    throw error;
  }
}

async function writeTargets(ports: Ports, order: Recovery, { targets }: HostRecovery) {
  const { point } = order.source;
  const pool = await ports.openPool(point.poolName);
  const written: { key: string; disk: RecoveredDisk }[] = [];
  for (const { key, path, format } of targets) {
    const disk = point.manifest.disks.find((candidate) => candidate.key === key);
    if (!disk) throw new Error(`the host asks for a disk ${key} that the point does not have`);
    const label = pointVm(point);
    written.push({ key, disk: await writeRecoveredDisk(ports, { pool, disk, path, format, label, readBack: true, ...jobOptions(order) }) });
  }
  return written;
}

/** Before the swap: should this process die in between, a sync that scans for nothing is the whole price. */
async function forgetTracking(ports: Ports, { datasource }: Manifest): Promise<void> {
  for (const { name } of await ports.home.listPools()) {
    const pool = await ports.openPool(name).catch(() => undefined);
    if (!pool) continue;
    await refreshManifests(ports.catalog, pool);
    const replica = await findReplica(ports, pool.info.id, datasource);
    if (replica) await dropTrackingBase(ports, pool, replica.manifest, 'recovered to original');
  }
}

function journalEntry(ports: Ports, { source, host, lock, recoveryId }: Recovery, facts: Facts): JournalEntry {
  const at = isoUtc(ports.clock.now());
  const { vm } = source.point.manifest;
  return { id: recoveryId, kind: 'recovery', host: host.name, vmId: vm.id, vmName: vm.name, at, lock, facts };
}

function recoveredVm({ vm, configuration, disks }: Manifest): RecoveredVm {
  return {
    configuration: configuration.json,
    id: vm.id,
    name: vm.name,
    generation: vm.generation,
    disks: disks.map(({ key, index, controller, path, format, virtualSize }) => ({ key, index, controller, path, format, virtualSize })),
  };
}

function wholeVm(source: RecoverySource): RecoverySource {
  if (!source.whole) throw new WholeVmOnlyError();
  return source;
}
