import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkpoint } from '../../src/core/checkpoint.ts';
import { confirmGroups } from '../../src/core/confirm-groups.ts';
import { diffPoints } from '../../src/core/diff/diff-points.ts';
import { applyRemovePoint, holdPoint, planRemovePoint, releasePoint } from '../../src/core/hold-point.ts';
import { getPoint } from '../../src/core/known-points.ts';
import { pointCalendar } from '../../src/core/point-calendar.ts';
import { listPoints, showPoint } from '../../src/core/points.ts';
import { probePoint } from '../../src/core/probe/probe-point.ts';
import { applyProtect, planProtect } from '../../src/core/protect.ts';
import { applyPrune, planPrune, pruneForecast } from '../../src/core/prune.ts';
import { status } from '../../src/core/status.ts';
import { aJobHome, type JobHome } from '../builders/job-home.ts';

const DAY = 86_400_000;
let home: JobHome;
let ids: string[];

/** Three points of one VM, 20, 15 and 1 days old. The lab's own clock is the real one, so the manifests are dated back. */
beforeEach(async () => {
  home = await aJobHome([{ name: 'web', state: 'off' }]);
  await applyProtect(home.ports, await planProtect(home.ports, { group: 'servers', members: ['hv1/web'], policy: {} }));
  for (let count = 0; count < 3; count++) await checkpoint(home.ports, { all: true });
  const points = [...home.pool.live].filter(([, { kind }]) => kind === 'point');
  ids = points.map(([, { id }]) => id);
  for (const [index, [seq, manifest]] of points.entries()) {
    const at = new Date(home.now - [20, 15, 1][index]! * DAY).toISOString();
    home.pool.live.set(seq, { ...manifest, capturedAt: at, createdAt: at });
    await home.ports.catalog.addManifests(home.pool.info.id, [{ seq, manifest: home.pool.live.get(seq)! }]);
  }
});
afterEach(() => home[Symbol.asyncDispose]());

const request = { trashMs: 14 * DAY, emptyTrash: false };
const prune = async (more = {}) => applyPrune(home.ports, await planPrune(home.ports, { ...request, ...more }));

describe('points by name', () => {
  it('are found by id, by the beginning of one, as latest and by time', async () => {
    const find = async (text: string) => ids.indexOf((await getPoint(home.ports, text)).point.manifest.id);
    expect(await find(ids[1]!)).toBe(1);
    expect(await find(ids[1]!.slice(0, 8))).toBe(1);
    expect(await find('hv1/web@latest')).toBe(2);
    expect(await find(`hv1/web@${new Date(home.now - 2 * DAY).toISOString()}`)).toBe(1);
    expect(await find(`hv1/{${home.vm('web').id}}@latest`)).toBe(2);
  });

  it('are found of a VM that is gone from its host, and of a host that this home does not know', async () => {
    await home.ports.home.removeHost('hv1');
    expect((await getPoint(home.ports, 'hv1/web@latest')).point.manifest.id).toBe(ids[2]);
    expect((await getPoint(home.ports, `hv1/{${home.vm('web').id}}@latest`)).point.manifest.id).toBe(ids[2]);
  });

  it.each([
    { text: 'hv1/wbe@latest', code: 'MABS-VM-UNKNOWN', hint: 'hv1/web' },
    { text: 'hv1/web@2001-01-01', code: 'MABS-POINT-UNKNOWN', hint: 'oldest' },
    { text: '00000000-dead-beef-0000-000000000000', code: 'MABS-POINT-UNKNOWN', hint: 'point list' },
  ])('refuses $text with a hint', ({ text, code, hint }) =>
    expect(getPoint(home.ports, text)).rejects.toMatchObject({ code, kind: 'failed', hint: expect.stringContaining(hint) }),
  );
});

describe('a point that is wanted as a whole', () => {
  it('is refused with a path, which would count for nothing', async () => {
    const text = 'hv1/web@latest:/disk0/p1/notes.txt';
    const refused = { code: 'MABS-NAME-UNREADABLE', kind: 'usage', hint: 'Write it as hv1/web@latest, without a path.' };
    await expect(planRemovePoint(home.ports, text)).rejects.toMatchObject(refused);
    await expect(holdPoint(home.ports, { point: text, reason: 'audit', owner: 'ada' })).rejects.toMatchObject(refused);
    await expect(releasePoint(home.ports, text)).rejects.toMatchObject(refused);
    await expect(showPoint(home.ports, text)).rejects.toMatchObject(refused);
    await expect(probePoint(home.ports, text)).rejects.toMatchObject(refused);
    await expect(diffPoints(home.ports, { before: ids[0]!, after: text })).rejects.toMatchObject(refused);
    expect((await planRemovePoint(home.ports, 'hv1/web@latest:/')).manifest.id).toBe(ids[2]);
  });
});

describe('point list and show', () => {
  it('tell when the policy releases a point, and nothing of one that it never releases', async () => {
    await holdPoint(home.ports, { point: ids[0]!, reason: 'audit', owner: 'ada' });
    const points = await listPoints(home.ports, 'hv1/web');
    expect(points.map(({ held, expiresAt }) => [held, expiresAt])).toEqual([
      [true, undefined],
      [false, new Date(home.now - 5 * DAY).toISOString()],
      [false, undefined],
    ]);
    expect(await showPoint(home.ports, ids[0]!)).toMatchObject({ hold: { reason: 'audit', owner: 'ada' }, pool: 'main', group: 'servers' });
  });

  it('show a month by days', async () => {
    const month = new Date(home.now - DAY);
    const shown = await pointCalendar(home.ports, 'hv1/web');
    expect(shown.month).toBe(`${month.getFullYear()}-${String(month.getMonth() + 1).padStart(2, '0')}`);
    expect(shown.days.at(-1)!.points).toMatchObject([{ id: ids[2] }]);
    await expect(pointCalendar(home.ports, 'hv1/web', '2026-13')).rejects.toMatchObject({ code: 'MABS-VALUE-UNREADABLE' });
  });
});

describe('a pool that is away', () => {
  const away = () => ({ ...home.ports, openPool: () => Promise.reject(Object.assign(new Error('away'), { code: 'MABS-POOL-AWAY' })) });

  it('does not hide what the catalog remembers of it', async () => {
    expect(await listPoints(away())).toHaveLength(3);
    expect(await status(away())).toMatchObject({ unavailablePools: ['main'], vms: [{ points: 3 }] });
  });

  it('is never told as an empty list', async () => {
    await home.ports.catalog.forgetPool(home.pool.info.id);
    await expect(listPoints(away())).rejects.toThrow('away');
  });
});

describe('holds', () => {
  it('keep a point from removal until they are released or over', async () => {
    await holdPoint(home.ports, { point: ids[0]!, reason: 'audit', owner: 'ada' });
    await expect(planRemovePoint(home.ports, ids[0]!)).rejects.toMatchObject({ code: 'MABS-POINT-HELD' });
    expect(await releasePoint(home.ports, ids[0]!)).toEqual({ id: ids[0], released: true });
    expect(await releasePoint(home.ports, ids[0]!)).toEqual({ id: ids[0], released: false });
    await holdPoint(home.ports, { point: ids[0]!, reason: 'audit', owner: 'ada', until: new Date(home.now + DAY).toISOString() });
    home.now += 2 * DAY;
    await applyRemovePoint(home.ports, await planRemovePoint(home.ports, ids[0]!));
    expect(await home.pool.listTrash()).toMatchObject([{ manifest: { id: ids[0] } }]);
  });

  it('that would end in the past are refused', () =>
    expect(holdPoint(home.ports, { point: ids[0]!, reason: 'x', owner: 'ada', until: '2001-01-01' })).rejects.toMatchObject({
      kind: 'usage',
    }));
});

describe('prune', () => {
  it('moves what is older than the policy to the trash, never what is held or the newest verified', async () => {
    await holdPoint(home.ports, { point: ids[0]!, reason: 'audit', owner: 'ada' });
    expect((await prune()).pools[0]!.trashed.map(({ id }) => id)).toEqual([ids[1]]);
    home.now += 100 * DAY;
    expect((await prune()).pools[0]!.trashed).toEqual([]);
    expect((await listPoints(home.ports)).map(({ id }) => id)).toEqual([ids[0], ids[2]]);
  });

  it('says with a plan alone what it would do, and changes nothing', async () => {
    const forecast = pruneForecast(await planPrune(home.ports, { ...request, emptyTrash: true }));
    expect(forecast).toMatchObject({ dryRun: true, pools: [{ trashed: [{ id: ids[0] }, { id: ids[1] }], purged: [{}, {}] }] });
    expect(await listPoints(home.ports)).toHaveLength(3);
  });

  it('purges what lay in the trash long enough, or all of it when told to', async () => {
    await prune();
    expect((await prune()).pools[0]!.purged).toEqual([]);
    home.now += 15 * DAY;
    expect((await prune()).pools[0]!.purged).toHaveLength(2);
    expect(await home.pool.listTrash()).toEqual([]);
  });

  it('empties the trash in the run that fills it, with --empty-trash', async () => {
    expect((await prune({ emptyTrash: true })).pools[0]).toMatchObject({ trashed: [{}, {}], purged: [{}, {}] });
    expect(await home.pool.listTrash()).toEqual([]);
  });

  it('keeps a point that was held after the plan was made', async () => {
    const plan = await planPrune(home.ports, { ...request, emptyTrash: true });
    await holdPoint(home.ports, { point: ids[0]!, reason: 'audit', owner: 'ada' });
    const report = await applyPrune(home.ports, plan);
    expect(report.pools[0]).toMatchObject({ trashed: [{ id: ids[1] }], purged: [{ id: ids[1] }] });
  });

  it('obeys no policy of an imported pool until its groups were confirmed', async () => {
    const [pool] = await home.ports.home.listPools();
    await home.ports.home.putPool({ ...pool!, groupsUnconfirmed: true });
    expect((await prune()).pools[0]).toMatchObject({ trashed: [], unconfirmed: ['servers'] });
    expect(await confirmGroups(home.ports, { names: ['servers'], all: false })).toEqual({ confirmed: ['servers'], waiting: [] });
    expect((await prune()).pools[0]!.trashed).toHaveLength(2);
  });

  it('refuses to go by ages while the clock lies before the newest commit', async () => {
    home.now -= 3 * DAY;
    await expect(planPrune(home.ports, request)).rejects.toMatchObject({ code: 'MABS-CLOCK-JUMPED' });
  });
});

describe('status', () => {
  it('shows each protected VM, and checks only what is asked for', async () => {
    expect((await status(home.ports)).vms).toMatchObject([{ vm: 'hv1/web', group: 'servers', points: 3, state: 'ok' }]);
    expect(await status(home.ports)).not.toHaveProperty('met');
    expect(await status(home.ports, {})).toMatchObject({ met: true });
    expect(await status(home.ports, { maxAgeMs: 2 * DAY, verifiedWithinMs: 2 * DAY })).toMatchObject({ met: true });
    expect(await status(home.ports, { maxAgeMs: DAY / 2 })).toMatchObject({ met: false, vms: [{ state: 'attention' }] });
    expect(await status(home.ports, { drilledWithinMs: DAY })).toMatchObject({ met: false });
  });

  it('finds a protected VM without a point wanting, where nothing else is asked for', async () => {
    for (const { seq } of await home.pool.listManifests()) await home.pool.moveToTrash(seq, 'test');
    await home.ports.catalog.forgetPool(home.pool.info.id);
    await home.ports.catalog.replaceRecords(
      home.pool.info.id,
      'group',
      [...(await home.pool.latestRecords('group')).values()].map((record) => ({ poolId: home.pool.info.id, ...record })),
    );
    expect(await status(home.ports, {})).toMatchObject({ met: false });
  });
});
