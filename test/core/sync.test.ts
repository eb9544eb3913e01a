import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkConsistency } from '../../src/core/check-consistency.ts';
import { checkpoint } from '../../src/core/checkpoint.ts';
import { getGroup } from '../../src/core/groups.ts';
import { listPoints } from '../../src/core/points.ts';
import { applyProtect, planProtect } from '../../src/core/protect.ts';
import { sync } from '../../src/core/sync.ts';
import type { Host } from '../../src/hosts/host.ts';
import { aJobHome, type JobHome, makeDisk, moveDisk } from '../builders/job-home.ts';

let home: JobHome;
beforeEach(async () => {
  home = await aJobHome([{ name: 'web', disks: 2 }, { name: 'db' }]);
  await protect('hv1/web', 'hv1/db');
});
afterEach(() => home[Symbol.asyncDispose]());

const protect = async (...members: string[]) =>
  applyProtect(home.ports, await planProtect(home.ports, { group: 'servers', members, policy: {} }));
const syncOne = async (vm = 'hv1/web') => (await sync(home.ports, { vms: [vm] })).report.members[0]!;
const journal = () => home.ports.home.journal.list();
const manifests = () => [...home.pool.live.values()];

describe('sync', () => {
  it('makes the initial replica, reads it back, and leaves nothing on the host', async () => {
    const member = await syncOne();
    expect(member).toMatchObject({ vm: 'hv1/web', status: 'ok', consistency: 'application', tracking: 'initial', verified: true });
    expect(home.pool.readBacks).toEqual([member.replicaId]);
    expect(await journal()).toEqual([]);
  });

  it('leaves the read-back to others with --verify later, and makes up for it the next time', async () => {
    expect((await sync(home.ports, { vms: ['hv1/web'], verify: 'later' })).report.members[0]!.verified).toBe(false);
    expect(await syncOne()).toMatchObject({ tracking: 'rct', verified: true });
    expect(home.pool.readBacks).toHaveLength(1);
  });

  it('reads only the tracked ranges afterwards', async () => {
    await syncOne();
    await home.write('web', 1, 2 ** 20, 'changed');
    expect(await syncOne()).toMatchObject({ tracking: 'rct', bytesScanned: 7, blocksDiffering: 1, verified: true });
  });

  it('scans the one disk whose tracking is broken, and says why', async () => {
    await syncOne();
    await home.change('web', ({ disks }) => disks.splice(1, 1));
    await makeDisk(home.vm('web').folder, 'other.vhdx', 'new tracking');
    await home.change('web', ({ disks }) => disks.push({ id: 'd1', controller: 'scsi', path: 'other.vhdx' }));
    const member = await syncOne();
    expect(member.tracking).toBe('scan');
    expect(member.disks!.map(({ tracking }) => tracking)).toEqual(['rct', 'scan']);
    expect(member.trackingReason).toContain('does not know the id');
  });

  it('keeps one replica: the newest', async () => {
    await syncOne();
    await syncOne();
    const last = await syncOne();
    expect(manifests().filter(({ datasource }) => datasource === manifests()[0]!.datasource)).toMatchObject([{ id: last.replicaId }]);
  });

  it('does not believe tracking that sampling caught lying: the disk is read whole and an alert raised', async () => {
    await syncOne('hv1/db');
    home.pool.mismatches = 3;
    const member = await syncOne('hv1/db');
    expect(member).toMatchObject({ tracking: 'scan', trackingReason: expect.stringContaining('change tracking lied: 3 sampled blocks') });
    expect(await home.ports.catalog.listAlerts()).toMatchObject([{ code: 'MABS-TRACKING-LIED', subject: 'hv1/db' }]);
  });

  it('scans after the tracking base was dropped, and tracks again after that', async () => {
    await syncOne();
    const [replica] = manifests();
    await home.pool.putRecord('base', replica!.datasource, { version: 1, manifestId: replica!.id, dropped: 'because', at: '' });
    expect(await syncOne()).toMatchObject({ tracking: 'scan', trackingReason: 'because' });
    expect(await syncOne()).toMatchObject({ tracking: 'rct' });
  });

  it('goes on with the others when one VM fails', async () => {
    await home.faults('web', 'capture-fails');
    const { report, failures } = await sync(home.ports, { all: true });
    expect(report.members.map(({ vm, status }) => [vm, status])).toEqual([
      ['hv1/web', 'failed'],
      ['hv1/db', 'ok'],
    ]);
    expect(failures).toHaveLength(1);
    expect(report.error).toBeUndefined();
    expect(await home.ports.catalog.listAlerts()).toMatchObject([{ code: 'MABS-JOB-FAILED', subject: 'hv1/web' }]);
    await home.faults('web');
    await syncOne();
    expect(await home.ports.catalog.listAlerts()).toEqual([]);
  });

  it('is refused at once while another job works on the VM', async () => {
    const { datasource } = (await getGroup(home.ports, 'servers')).group.members[0]!;
    await using _other = await home.ports.locks.acquire(`vm-${datasource}`, { what: 'x', waitMs: 0 });
    expect(await syncOne()).toMatchObject({ status: 'failed', error: { code: 'MABS-LOCKED' } });
    expect(await home.ports.catalog.listAlerts()).toEqual([]);
  });

  it('keeps a merge that failed in mind: an alert, and the next job merges it', async () => {
    await home.faults('web', 'merge-fails');
    expect(await syncOne()).toMatchObject({ status: 'ok' });
    expect(await home.ports.catalog.listAlerts()).toMatchObject([{ code: 'MABS-MERGE-PENDING' }]);
    expect(await journal()).toHaveLength(1);
    await home.faults('web');
    await syncOne('hv1/db');
    expect(await journal()).toEqual([]);
    expect(await home.ports.catalog.listAlerts()).toEqual([]);
  });

  it('releases the capture and ends as interrupted when it is asked to stop', async () => {
    const stop = new AbortController();
    const write = home.pool.beginWrite;
    home.pool.beginWrite = async () => {
      const writer = await write();
      return {
        ...writer,
        writeDisk: async () => {
          stop.abort();
          throw Object.assign(new (await import('../../src/lib/errors.ts')).InterruptedError());
        },
      };
    };
    await expect(sync(home.ports, { vms: ['hv1/web'], signal: stop.signal })).rejects.toMatchObject({ code: 'MABS-INTERRUPTED' });
    expect(await journal()).toEqual([]);
    expect(await home.ports.catalog.listJobs(1)).toMatchObject([{ kind: 'sync', state: 'interrupted' }]);
  });

  it('cleans up first what a job that died left on the host', async () => {
    let died = false;
    home.withHost((host) => ({ ...pass(host), capture: async (...args) => keptAlive(await host.capture(...args), () => died) }));
    died = true;
    await syncOne();
    expect(await journal()).toHaveLength(1);
    died = false;
    expect(await syncOne()).toMatchObject({ status: 'ok', tracking: 'rct' });
    expect(await journal()).toEqual([]);
  });

  it('knows VMs by the name they have now, and by their GUID', async () => {
    await syncOne();
    await home.change('web', (vm) => {
      vm.name = 'renamed';
    });
    expect(await syncOne('hv1/renamed')).toMatchObject({ vm: 'hv1/renamed', tracking: 'rct' });
    expect(await syncOne(`hv1/{${home.vm('web').id}}`)).toMatchObject({ vm: 'hv1/renamed' });
    await expect(syncOne('hv1/web')).rejects.toMatchObject({ code: 'MABS-VM-UNKNOWN' });
  });
});

describe('disks that come, go, grow and move', () => {
  it('are found by their identity, never by position or path', async () => {
    await syncOne();
    await makeDisk(home.vm('web').folder, 'disk2.vhdx', 'third');
    await home.change('web', ({ disks }) => disks.unshift({ id: 'd2', controller: 'scsi', path: 'disk2.vhdx' }));
    await moveDisk(home, 'web', 'disk1.vhdx', 'moved.vhdx');
    await home.change('web', ({ disks }) => {
      disks[2]!.path = 'moved.vhdx';
    });
    const member = await syncOne();
    expect(member.disks!.map(({ disk, tracking }) => [disk, tracking])).toEqual([
      ['disk0', 'initial'],
      ['disk1', 'rct'],
      ['disk2', 'rct'],
    ]);
    await home.change('web', ({ disks }) => disks.splice(1, 1));
    expect((await syncOne()).disks).toHaveLength(2);
  });

  it('are scanned after their size changed', async () => {
    await syncOne('hv1/db');
    const replica = manifests()[0]!;
    home.pool.live.set([...home.pool.live.keys()][0]!, {
      ...replica,
      disks: replica.disks.map((disk) => ({ ...disk, virtualSize: 2 ** 20 })),
    });
    await home.ports.catalog.removeManifests(home.pool.info.id, [1]);
    expect(await syncOne('hv1/db')).toMatchObject({ tracking: 'scan', trackingReason: expect.stringContaining('resized from 1048576') });
  });
});

describe('checkpoint', () => {
  it('brings the replica up to date and freezes it', async () => {
    const { report } = await checkpoint(home.ports, { vms: ['hv1/web'] });
    const [point] = await listPoints(home.ports);
    expect(point).toMatchObject({ id: report.members[0]!.pointId, vm: 'hv1/web', held: false, consistency: 'application' });
    expect(point!.verifiedAt).toBeDefined();
    expect(point!.disks.map(({ disk }) => disk)).toEqual(['disk0', 'disk1']);
  });

  it('with --no-sync touches neither host nor data', async () => {
    await syncOne();
    const before = home.pool.requests.length;
    home.withHost((host) => ({ ...pass(host), capture: () => Promise.reject(new Error('must not be asked')) }));
    const { report } = await checkpoint(home.ports, { vms: ['hv1/web'], noSync: true });
    expect(report.members[0]).toMatchObject({ status: 'ok', bytesScanned: 0, verified: true });
    expect(home.pool.requests).toHaveLength(before);
  });

  it('with --no-sync needs a replica', async () => {
    const { report } = await checkpoint(home.ports, { vms: ['hv1/web'], noSync: true });
    expect(report.error).toMatchObject({ code: 'MABS-REPLICA-MISSING' });
  });

  it('makes a new point of the same content each time', async () => {
    await checkpoint(home.ports, { vms: ['hv1/db'] });
    await checkpoint(home.ports, { vms: ['hv1/db'], noSync: true });
    const points = await listPoints(home.ports, 'hv1/db');
    expect(points).toHaveLength(2);
    expect(points[0]!.disks[0]!.root).toBe(points[1]!.disks[0]!.root);
  });
});

describe('consistency check', () => {
  it('finds what tracking hid, whatever it says, and leaves a right replica', async () => {
    await syncOne('hv1/db');
    await home.faults('db', 'tracking-lies');
    await home.write('db', 0, 2 ** 20, 'hidden');
    expect(await syncOne('hv1/db')).toMatchObject({ blocksDiffering: 0 });
    const { report } = await checkConsistency(home.ports, { vms: ['hv1/db'] });
    expect(report.members[0]).toMatchObject({ status: 'ok', tracking: 'scan', blocksDiffering: 1 });
    expect(report.members[0]!.trackingReason).toContain('1 blocks differ, and it names 0');
    expect(await home.ports.catalog.listAlerts()).toMatchObject([{ code: 'MABS-TRACKING-LIED', subject: 'hv1/db' }]);
    await home.faults('db');
    expect((await checkConsistency(home.ports, { vms: ['hv1/db'] })).report.members[0]).toMatchObject({ blocksDiffering: 0 });
    expect(home.pool.requests.at(-1)).toMatchObject({ mend: true, sample: false });
    expect(home.pool.requests.at(-1)!.ranges).toBeUndefined();
    expect(await home.ports.catalog.listAlerts()).toEqual([]);
  });
});

describe('selection', () => {
  it.each([
    { what: 'nothing', selection: {}, code: 'MABS-NOTHING-SELECTED' },
    { what: 'an unknown VM', selection: { vms: ['hv1/wbe'] }, code: 'MABS-VM-UNKNOWN' },
    { what: 'an unknown group', selection: { group: 'server' }, code: 'MABS-GROUP-UNKNOWN' },
  ])('refuses $what', ({ selection, code }) => expect(sync(home.ports, selection)).rejects.toMatchObject({ code }));

  it('names what is near an unknown name', () =>
    expect(sync(home.ports, { vms: ['hv1/wbe'] })).rejects.toMatchObject({ hint: expect.stringContaining('hv1/web') }));
});

/** A host with its methods bound, to change some of them. */
function pass(host: Host): Host {
  return {
    name: host.name,
    type: host.type,
    listVms: () => host.listVms(),
    check: () => host.check(),
    capture: (...args) => host.capture(...args),
    releaseLeftover: (...args) => host.releaseLeftover(...args),
    beginOriginalRecovery: (...args) => host.beginOriginalRecovery(...args),
    beginNewVmRecovery: (...args) => host.beginNewVmRecovery(...args),
    abandonLeftover: (...args) => host.abandonLeftover(...args),
    reachFolder: (...args) => host.reachFolder(...args),
    removeExpired: (...args) => host.removeExpired(...args),
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
}

/** A capture whose job dies before it hears that it was released. */
function keptAlive<C extends { release(outcome: { committed: boolean }): Promise<{ merged: boolean }> }>(
  capture: C,
  died: () => boolean,
): C {
  return {
    ...capture,
    release: async (outcome: { committed: boolean }) => ({ ...(await capture.release(outcome)), ...(died() ? { merged: false } : {}) }),
  };
}
