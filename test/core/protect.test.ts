import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkpoint } from '../../src/core/checkpoint.ts';
import { getGroup, listGroups } from '../../src/core/groups.ts';
import { listPoints } from '../../src/core/points.ts';
import { applyProtect, type ProtectRequest, planProtect } from '../../src/core/protect.ts';
import { applyRemoval, planRemoval } from '../../src/core/remove-group.ts';
import { sync } from '../../src/core/sync.ts';
import { defaultPolicy } from '../../src/model/group.ts';
import { aJobHome, type JobHome } from '../builders/job-home.ts';

let home: JobHome;
beforeEach(async () => {
  home = await aJobHome([
    { name: 'web', state: 'off' },
    { name: 'db', state: 'off' },
  ]);
});
afterEach(() => home[Symbol.asyncDispose]());

const plan = (request: Partial<ProtectRequest>) => planProtect(home.ports, { group: 'servers', members: [], policy: {}, ...request });
const protect = async (request: Partial<ProtectRequest>) => applyProtect(home.ports, await plan(request));

describe('protect', () => {
  it('records a group with the defaults, and nothing else', async () => {
    await protect({ members: ['hv1/web'] });
    const { group, poolName } = await getGroup(home.ports, 'servers');
    expect(group.policy).toEqual(defaultPolicy);
    expect(group.members).toMatchObject([{ host: 'hv1', vmName: 'web', vmId: home.vm('web').id }]);
    expect(poolName).toBe('main');
    expect(home.pool.requests).toEqual([]);
  });

  it('adds members to an existing group and changes only what is named', async () => {
    await protect({ members: ['hv1/web'], policy: { retentionMs: 5 * 86_400_000, whenNotOnline: 'save' } });
    const change = await plan({ members: ['hv1/web', 'hv1/db'], policy: { whenNotOnline: 'fail' } });
    expect(change).toMatchObject({ isNew: false, added: ['hv1/db'], changed: [{ setting: 'whenNotOnline', from: 'save', to: 'fail' }] });
    await applyProtect(home.ports, change);
    const { group } = await getGroup(home.ports, 'servers');
    expect(group.members.map(({ vmName }) => vmName)).toEqual(['web', 'db']);
    expect(group.policy).toMatchObject({ retentionMs: 5 * 86_400_000, whenNotOnline: 'fail' });
  });

  it('keeps a VM in one group', async () => {
    await protect({ members: ['hv1/web'] });
    await expect(plan({ group: 'others', members: ['hv1/web'] })).rejects.toMatchObject({ code: 'MABS-VM-ALREADY-PROTECTED' });
  });

  it('keeps a VM in one group when two processes protect it at once', async () => {
    const [first, second] = await Promise.all([plan({ members: ['hv1/web'] }), plan({ group: 'others', members: ['hv1/web'] })]);
    await applyProtect(home.ports, first);
    await expect(applyProtect(home.ports, second)).rejects.toMatchObject({ code: 'MABS-VM-ALREADY-PROTECTED' });
    expect(await listGroups(home.ports)).toHaveLength(1);
  });

  it('makes one group of a name when two processes do at once', async () => {
    const [first, second] = await Promise.all([plan({ members: ['hv1/web'] }), plan({ members: ['hv1/db'] })]);
    await applyProtect(home.ports, first);
    await expect(applyProtect(home.ports, second)).rejects.toMatchObject({ code: 'MABS-NAME-TAKEN' });
  });

  it('loses nothing that another process changed since the plan was made', async () => {
    await protect({ members: ['hv1/web'] });
    const change = await plan({ members: ['hv1/db'], policy: { whenNotOnline: 'fail' } });
    await protect({ policy: { retentionMs: 5 * 86_400_000 } });
    await applyRemoval(home.ports, await planRemoval(home.ports, { group: 'servers', member: 'hv1/web', deleteData: false }));
    await applyProtect(home.ports, change);
    const { group } = await getGroup(home.ports, 'servers');
    expect(group.members.map(({ vmName }) => vmName)).toEqual(['db']);
    expect(group.policy).toMatchObject({ retentionMs: 5 * 86_400_000, whenNotOnline: 'fail' });
  });

  it('plans without a trace', async () => {
    await plan({ members: ['hv1/web'] });
    expect(await listGroups(home.ports)).toEqual([]);
  });

  it('needs a pool', async () => {
    const { ports } = home;
    const none = { ...ports, home: { ...ports.home, listPools: async () => [] } };
    await expect(planProtect(none, { group: 'g', members: [], policy: {} })).rejects.toMatchObject({ code: 'MABS-POOL-NONE' });
    const two = [...(await ports.home.listPools()), { name: 'second', id: 'x', path: '/x' }];
    const several = { ...ports, home: { ...ports.home, listPools: async () => two } };
    await expect(planProtect(several, { group: 'g', members: [], policy: {} })).rejects.toMatchObject({
      code: 'MABS-POOL-SEVERAL',
      kind: 'usage',
    });
  });

  it('refuses an unknown VM, and says which of two of one name', async () => {
    await expect(plan({ members: ['hv1/nobody'] })).rejects.toMatchObject({ code: 'MABS-VM-UNKNOWN' });
    await home.change('db', (vm) => {
      vm.name = 'web';
    });
    await expect(plan({ members: ['hv1/web'] })).rejects.toMatchObject({
      code: 'MABS-NAME-AMBIGUOUS',
      kind: 'usage',
      hint: expect.stringMatching(/hv1\/\{0000000\d-.*hv1\/\{0000000\d-/),
    });
    await protect({ members: [`hv1/{${home.vm('db').id}}`] });
  });
});

describe('the end of a group', () => {
  beforeEach(async () => {
    await protect({ members: ['hv1/web', 'hv1/db'] });
    await checkpoint(home.ports, { all: true });
  });

  it('keeps the points of a member that is taken out, and lets it into another group', async () => {
    const report = await applyRemoval(
      home.ports,
      await planRemoval(home.ports, { group: 'servers', member: 'hv1/web', deleteData: false }),
    );
    expect(report).toMatchObject({ removed: ['hv1/web'], trashedPoints: [], keptPoints: 1 });
    await expect(sync(home.ports, { vms: ['hv1/web'] })).rejects.toMatchObject({ code: 'MABS-VM-NOT-PROTECTED' });
    await protect({ group: 'others', members: ['hv1/web'] });
    expect((await sync(home.ports, { vms: ['hv1/web'] })).report.members[0]).toMatchObject({ tracking: 'rct' });
  });

  it('removes the group and, with --delete-data, moves its points to the trash', async () => {
    await applyRemoval(home.ports, await planRemoval(home.ports, { group: 'servers', deleteData: true }));
    expect(await listGroups(home.ports)).toEqual([]);
    expect(await listPoints(home.ports)).toEqual([]);
    expect((await home.pool.listTrash()).map(({ manifest }) => manifest.kind).sort()).toEqual(['point', 'point', 'replica', 'replica']);
    await protect({ members: ['hv1/web'] });
    expect((await listGroups(home.ports)).map(({ group }) => group.name)).toEqual(['servers']);
  });
});
