import { expect, it } from '@jest/globals';
import type { CachedRecord, Catalog, Job } from '../../src/catalogs/catalog.ts';
import type { StoredManifest } from '../../src/model/manifest.ts';

/** The law of `Catalog`, tried on an implementation. `open` answers an empty one. */
export function keepsTheCatalogContract(open: () => Promise<Catalog>): void {
  it('lists manifests by capture time, then number, and filters them', async () => {
    await using catalog = await open();
    await catalog.addManifests('p1', [
      aStored(2, { capturedAt: '2026-11-21T00:00:00.000Z' }),
      aStored(1, { capturedAt: '2026-11-22T00:00:00.000Z' }),
    ]);
    await catalog.addManifests('p1', [aStored(3, { capturedAt: '2026-11-21T00:00:00.000Z', kind: 'replica', datasource: 'd2' })]);
    await catalog.addManifests('p2', [aStored(1, { capturedAt: '2026-11-20T00:00:00.000Z' })]);
    const places = async (filter?: Parameters<Catalog['listManifests']>[0]) =>
      (await catalog.listManifests(filter)).map(({ poolId, seq }) => `${poolId}/${seq}`);
    expect(await places()).toEqual(['p2/1', 'p1/2', 'p1/3', 'p1/1']);
    expect(await places({ poolId: 'p1' })).toEqual(['p1/2', 'p1/3', 'p1/1']);
    expect(await places({ kind: 'point', poolId: 'p1' })).toEqual(['p1/2', 'p1/1']);
    expect(await places({ datasource: 'd2' })).toEqual(['p1/3']);
    expect(await catalog.knownSeqs('p1')).toEqual(new Set([1, 2, 3]));
    expect(await catalog.knownSeqs('p3')).toEqual(new Set());
  });

  it('gives a manifest back as it was, and finds it by its id', async () => {
    await using catalog = await open();
    const stored = aStored(7, { id: 'wanted', trackingReason: 'naïve “quotes”\u0000\ud83d\ude00' });
    await catalog.addManifests('p1', [stored]);
    expect(await catalog.findManifest('wanted')).toEqual({ poolId: 'p1', ...stored });
    expect(await catalog.findManifest('other')).toBeUndefined();
  });

  it('adds a manifest twice as once, and removes only what is named', async () => {
    await using catalog = await open();
    await catalog.addManifests('p1', [aStored(1), aStored(2)]);
    await catalog.addManifests('p1', [aStored(2), aStored(3)]);
    await catalog.removeManifests('p1', [1, 99]);
    await catalog.removeManifests('p1', []);
    expect(await catalog.knownSeqs('p1')).toEqual(new Set([2, 3]));
  });

  it('takes thousands of manifests at once', async () => {
    await using catalog = await open();
    const many = Array.from({ length: 2500 }, (_, index) => aStored(index + 1));
    await catalog.addManifests('p1', many);
    await catalog.removeManifests(
      'p1',
      many.slice(0, 2400).map(({ seq }) => seq),
    );
    expect((await catalog.knownSeqs('p1')).size).toBe(100);
  });

  it('replaces the records of one kind of one pool, and no others', async () => {
    await using catalog = await open();
    await catalog.replaceRecords('p1', 'hold', [aRecord('a', 1), aRecord('b', 1)]);
    await catalog.replaceRecords('p1', 'group', [{ ...aRecord('g', 1), kind: 'group' }]);
    await catalog.replaceRecords('p2', 'hold', [{ ...aRecord('a', 5), poolId: 'p2' }]);
    await catalog.replaceRecords('p1', 'hold', [aRecord('b', 2), aRecord('c', 1)]);
    const owners = async (kind: string, poolId?: string) =>
      (await catalog.listRecords(kind, poolId)).map(({ owner, number }) => `${owner}${number}`);
    expect(await owners('hold', 'p1')).toEqual(['b2', 'c1']);
    expect(await owners('hold')).toEqual(['b2', 'c1', 'a5']);
    expect(await owners('group')).toEqual(['g1']);
  });

  it('puts one record in the place of its forerunner', async () => {
    await using catalog = await open();
    await catalog.replaceRecords('p1', 'hold', [aRecord('a', 1), aRecord('b', 1)]);
    await catalog.putRecord({ ...aRecord('a', 2), payload: { reason: 'audit' } });
    expect(await catalog.listRecords('hold')).toEqual([{ ...aRecord('a', 2), payload: { reason: 'audit' } }, aRecord('b', 1)]);
  });

  it('forgets everything of a pool', async () => {
    await using catalog = await open();
    await catalog.addManifests('p1', [aStored(1)]);
    await catalog.addManifests('p2', [aStored(1)]);
    await catalog.replaceRecords('p1', 'hold', [aRecord('a', 1)]);
    await catalog.forgetPool('p1');
    expect(await catalog.listManifests()).toHaveLength(1);
    expect(await catalog.listRecords('hold')).toEqual([]);
  });

  it('keeps jobs from their start to their end, newest first', async () => {
    await using catalog = await open();
    const job: Job = {
      id: 'j1',
      kind: 'sync',
      state: 'running',
      startedAt: '2026-11-20T10:00:00.000Z',
      processId: 7,
      subjects: ['hv1/web'],
    };
    await catalog.startJob(job);
    await catalog.startJob({ ...job, id: 'j2', startedAt: '2026-11-20T11:00:00.000Z' });
    await catalog.finishJob('j1', 'partly', '2026-11-20T10:05:00.000Z', { members: [1] });
    expect(await catalog.findJob('j1')).toEqual({
      ...job,
      state: 'partly',
      finishedAt: '2026-11-20T10:05:00.000Z',
      result: { members: [1] },
    });
    expect(await catalog.findJob('j9')).toBeUndefined();
    expect((await catalog.listJobs(10)).map(({ id }) => id)).toEqual(['j2', 'j1']);
    expect((await catalog.listJobs(1)).map(({ id }) => id)).toEqual(['j2']);
    await expect(catalog.startJob(job)).rejects.toThrow();
  });

  it('counts up an alert that stands open, and raises it anew once it was resolved', async () => {
    await using catalog = await open();
    const alert = {
      id: 'a1',
      code: 'X',
      severity: 'warning',
      subject: 'hv1/web',
      message: 'm',
      hint: 'h',
      raisedAt: '2026-11-20T10:00:00.000Z',
    } as const;
    await catalog.raiseAlert(alert);
    await catalog.raiseAlert({ ...alert, id: 'a2', message: 'worse', severity: 'critical', raisedAt: '2026-11-20T11:00:00.000Z' });
    await catalog.raiseAlert({ ...alert, id: 'a3', subject: 'hv1/db', raisedAt: '2026-11-20T12:00:00.000Z' });
    const open1 = await catalog.listAlerts();
    expect(open1.map(({ id, count }) => `${id} ${count}`)).toEqual(['a1 2', 'a3 1']);
    expect(open1[0]).toEqual({ ...alert, message: 'worse', severity: 'critical', count: 2 });
    expect(await catalog.resolveAlerts({ subject: 'hv1/web' }, '2026-11-20T13:00:00.000Z')).toBe(1);
    expect(await catalog.resolveAlerts({ subject: 'hv1/web' }, '2026-11-20T14:00:00.000Z')).toBe(0);
    await catalog.raiseAlert({ ...alert, id: 'a4', raisedAt: '2026-11-20T15:00:00.000Z' });
    expect((await catalog.listAlerts()).map(({ id }) => id)).toEqual(['a3', 'a4']);
    const all = await catalog.listAlerts({ resolved: true });
    expect(all.map(({ id, resolvedAt }) => [id, resolvedAt])).toEqual([
      ['a1', '2026-11-20T13:00:00.000Z'],
      ['a3', undefined],
      ['a4', undefined],
    ]);
  });

  it('remembers small facts', async () => {
    await using catalog = await open();
    await catalog.setValue('k', { n: 1 });
    await catalog.setValue('k', { n: 2 });
    expect(await catalog.getValue('k')).toEqual({ n: 2 });
    await catalog.setValue('k', undefined);
    expect(await catalog.getValue('k')).toBeUndefined();
  });

  it('takes calls that overlap', async () => {
    await using catalog = await open();
    await Promise.all(Array.from({ length: 20 }, (_, index) => catalog.addManifests('p1', [aStored(index + 1)])));
    expect((await catalog.knownSeqs('p1')).size).toBe(20);
  });
}

export function aStored(seq: number, changes: Partial<StoredManifest['manifest']> = {}): StoredManifest {
  return {
    seq,
    manifest: {
      version: 1,
      id: `m${seq}`,
      kind: 'point',
      datasource: 'd1',
      host: 'hv1',
      vm: { id: '3f1b0ff2-58a7-4a5c-93b3-f4b4f4d3c111', name: 'web', generation: 2, os: 'linux', state: 'running' },
      capturedAt: '2026-11-20T18:00:00.000Z',
      createdAt: '2026-11-20T18:00:01.000Z',
      consistency: 'crash',
      tracking: 'initial',
      disks: [],
      configuration: { json: { name: 'web' }, files: [] },
      bytesStored: 0,
      ...changes,
    },
  };
}

function aRecord(owner: string, number: number): CachedRecord {
  return { poolId: 'p1', kind: 'hold', owner, number, payload: { version: 1 } };
}
