import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkPool } from '../../src/core/check-pool.ts';
import { checkpoint } from '../../src/core/checkpoint.ts';
import { holdPoint } from '../../src/core/hold-point.ts';
import { tellLostObjects } from '../../src/core/lost-manifests.ts';
import { listPoints } from '../../src/core/points.ts';
import { applyProtect, planProtect } from '../../src/core/protect.ts';
import { planPrune } from '../../src/core/prune.ts';
import { refreshCatalog } from '../../src/core/refresh-catalog.ts';
import { sync } from '../../src/core/sync.ts';
import { manifestName } from '../../src/pool/manifest-roll.ts';
import type { Pool } from '../../src/pool/pool.ts';
import { aRealHome, type JobHome } from '../builders/job-home.ts';

let home: JobHome<Pool>;
let points: { id: string }[];
let newest: number;

/** Two points; then the newest manifest of the roll, which is the second, vanishes from the volume. */
beforeEach(async () => {
  home = await aRealHome([{ name: 'web', state: 'off' }]);
  await applyProtect(home.ports, await planProtect(home.ports, { group: 'servers', members: ['hv1/web'], policy: {} }));
  await checkpoint(home.ports, { all: true });
  await home.write('web', 0, 100_000, 'day 2');
  await checkpoint(home.ports, { all: true });
  points = await listPoints(home.ports);
  newest = (await home.pool.listRoll()).live.at(-1)!;
  await rm(join(home.folder, 'pool', manifestName(newest)));
});
afterEach(() => home[Symbol.asyncDispose]());

const lost = { code: 'MABS-POOL-MANIFESTS-LOST' };
const refresh = async (options = {}) => tellLostObjects(home.ports, 'main', await refreshCatalog(home.ports.catalog, home.pool, options));

describe('a hold gone from the volume', () => {
  it('goes on in the home that gave it, and a check names it', async () => {
    const { id } = points[0]!;
    await holdPoint(home.ports, { point: id, reason: 'audit', owner: 'ada' });
    await rm(join(home.folder, 'pool', 'records/hold'), { recursive: true });
    await refresh();
    expect((await listPoints(home.ports)).find((point) => point.id === id)).toMatchObject({ held: true });
    const { damage } = await checkPool(home.ports, { pool: 'main', depth: 'all', resume: false });
    expect(damage).toContainEqual({ file: `records/hold/${id}/00000001`, offset: 0, kind: 'missing', affectedPoints: [id] });
    await refresh({ rebuild: true });
    expect((await listPoints(home.ports)).find((point) => point.id === id)).toMatchObject({ held: false });
  });
});

describe('the newest manifest of a pool gone from the volume', () => {
  it('is missed: an alert tells it, and a check names it with its point', async () => {
    await refresh();
    await refresh();
    expect(await home.ports.catalog.listAlerts()).toMatchObject([{ ...lost, severity: 'critical', subject: 'main', count: 2 }]);
    const { status, damage } = await checkPool(home.ports, { pool: 'main', depth: 'all', resume: false });
    expect(status).toBe('damaged');
    expect(damage).toEqual([{ file: manifestName(newest), offset: 0, kind: 'missing', affectedPoints: [points.at(-1)!.id] }]);
  });

  it('stays in the list of points, and its number is not given again', async () => {
    await refresh();
    expect(await listPoints(home.ports)).toHaveLength(2);
    const { report } = await sync(home.ports, { all: true });
    expect(report.members).toMatchObject([{ status: 'failed', error: lost }]);
    expect((await checkpoint(home.ports, { all: true, noSync: true })).report.members).toMatchObject([{ status: 'failed', error: lost }]);
    expect((await home.pool.listRoll()).live).not.toContain(newest);
  });

  it('stops a prune', async () => {
    await expect(planPrune(home.ports, { trashMs: 0, emptyTrash: true })).rejects.toMatchObject({ ...lost, kind: 'damaged' });
  });

  it('is given up when the pool is imported again', async () => {
    await refresh();
    await refresh({ rebuild: true });
    expect(await home.ports.catalog.listAlerts()).toEqual([]);
    expect(await listPoints(home.ports)).toHaveLength(1);
    const { report } = await sync(home.ports, { all: true });
    expect(report.members).toMatchObject([{ status: 'ok' }]);
  });
});
