import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { initHome } from '../../src/core/home.ts';
import { addPoolKey, exportPoolKey, listPoolKeys, removePoolKey } from '../../src/core/pool-keys.ts';
import { addPool, importPool, planRemovePool, removePool, showPool } from '../../src/core/pools.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { defaultPolicy } from '../../src/model/group.ts';
import { aHome, type TestHome } from '../builders/a-home.ts';

let test: TestHome;
beforeEach(async () => {
  test = await aHome();
});
afterEach(async () => {
  await test[Symbol.asyncDispose]();
});

const plain = { encrypt: false, compression: 'normal' } as const;
const path = (name: string) => join(test.folder, name);

describe('adding a pool', () => {
  it('makes it, lets the home know it, and shows it', async () => {
    await using ports = await test.ports();
    const added = await addPool(ports, { name: 'main', path: path('pool'), ...plain });
    expect(added).toEqual({ name: 'main', id: expect.any(String), path: path('pool'), encrypted: false });
    await using next = await test.ports();
    expect(await showPool(next, 'MAIN')).toMatchObject({
      name: 'main',
      path: path('pool'),
      logicalBytes: 0,
      blocks: 0,
      points: 0,
      formatVersion: 1,
    });
  });

  it('refuses a name that is taken or impossible before it makes anything', async () => {
    await using ports = await test.ports();
    await addPool(ports, { name: 'main', path: path('pool'), ...plain });
    await expect(addPool(ports, { name: 'Main', path: path('two'), ...plain })).rejects.toMatchObject({ code: 'MABS-NAME-TAKEN' });
    await expect(addPool(ports, { name: 'a/b', path: path('two'), ...plain })).rejects.toMatchObject({
      code: 'MABS-NAME-INVALID',
      kind: 'usage',
    });
  });

  it('refuses a folder that holds a pool, or anything else', async () => {
    await using ports = await test.ports();
    await addPool(ports, { name: 'main', path: path('pool'), ...plain });
    await expect(addPool(ports, { name: 'two', path: path('pool'), ...plain })).rejects.toMatchObject({ code: 'MABS-POOL-EXISTS' });
    await writeFile(join(await test.makeFolder('full'), 'my notes.txt'), '');
    await expect(addPool(ports, { name: 'two', path: path('full'), ...plain })).rejects.toMatchObject({ code: 'MABS-POOL-NOT-EMPTY' });
  });

  it('refuses a passphrase for a pool that would not be encrypted', async () => {
    await using ports = await test.ports();
    const addition = { name: 'main', path: path('pool'), ...plain, secret: { file: 'f' } };
    await expect(addPool(ports, addition)).rejects.toMatchObject({ code: 'MABS-POOL-SECRET-UNUSED' });
  });
});

describe('an encrypted pool', () => {
  const encrypted = { encrypt: true, compression: 'normal' } as const;

  it('is opened later by the passphrase’s place that the home remembers, never by the passphrase', async () => {
    await writeFile(path('key'), 'correct horse\nsecond line');
    const secret = { file: path('key') };
    await using ports = await test.ports({ secret });
    const { recoveryKey } = await addPool(ports, { name: 'vault', path: path('vault'), ...encrypted, secret });
    expect(recoveryKey).toMatch(/^[0-9A-Z]{5}(-[0-9A-Z]{5}){10}$/);
    await using next = await test.ports();
    expect(await showPool(next, 'vault')).toMatchObject({ encrypted: true });
    expect(await readFile(join(test.homePath, 'pools.json'), 'utf8')).not.toContain('correct horse');
  });

  it('refuses a wrong passphrase, and takes the recovery key', async () => {
    await using ports = await test.ports({ typed: ['correct horse'] });
    const { recoveryKey } = await addPool(ports, { name: 'vault', path: path('vault'), ...encrypted });
    await using wrong = await test.ports({ typed: ['wrong'] });
    await expect(showPool(wrong, 'vault')).rejects.toMatchObject({ code: 'MABS-POOL-PASSPHRASE', kind: 'failed' });
    await using right = await test.ports({ typed: [recoveryKey!] });
    expect(await showPool(right, 'vault')).toMatchObject({ encrypted: true });
  });

  it('takes further passphrases, and gives them up again', async () => {
    await using ports = await test.ports({ typed: ['first', 'second'] });
    const { recoveryKey } = await addPool(ports, { name: 'vault', path: path('vault'), ...encrypted });
    await using withFirst = await test.ports({ typed: ['first', 'second'] });
    const { keyId } = await addPoolKey(withFirst, { pool: 'vault' });
    expect(await exportPoolKey(withFirst, 'vault')).toEqual({ pool: 'vault', recoveryKey });
    await using withSecond = await test.ports({ typed: ['second'] });
    const keys = await listPoolKeys(withSecond, 'vault');
    expect(keys).toHaveLength(2);
    await removePoolKey(withSecond, { pool: 'vault', keyId: keys.find((key) => key.keyId !== keyId)!.keyId });
    await using former = await test.ports({ typed: ['first'] });
    await expect(listPoolKeys(former, 'vault')).rejects.toMatchObject({ code: 'MABS-POOL-PASSPHRASE' });
  });
});

describe('importing a pool', () => {
  const group = {
    version: 1 as const,
    id: 'g1',
    name: 'servers',
    pool: 'main',
    policy: defaultPolicy,
    members: [],
    createdAt: '2026-11-20T18:00:00.000Z',
  };

  async function aPoolWithGroup(): Promise<void> {
    await using ports = await test.ports();
    await addPool(ports, { name: 'main', path: path('pool'), ...plain });
    const pool = await ports.openPool('main');
    await pool.putRecord('group', 'g1', group);
    await pool.putRecord('hold', 'm1', { version: 1, reason: 'audit' });
    await pool.putRecord('hold', 'm2', { version: 1, reason: 'audit', released: true });
  }

  it('brings groups and holds into a home that knows nothing, and lets prune wait for them', async () => {
    await aPoolWithGroup();
    const homePath = path('other-home');
    await initHome(homePath, { clock: systemClock, random: systemRandom });
    await using ports = await test.ports({ homePath });
    const imported = await importPool(ports, { path: path('pool') });
    expect(imported).toMatchObject({ name: 'pool', rebuilt: false, groups: ['servers'], holds: 1, groupsUnconfirmed: true });
    expect(await ports.home.listPools()).toEqual([{ name: 'pool', id: imported.id, path: path('pool'), groupsUnconfirmed: true }]);
    expect(await ports.catalog.listRecords('group')).toMatchObject([{ owner: 'g1', payload: group }]);
  });

  it('makes the importing home the one that writes', async () => {
    await aPoolWithGroup();
    const homePath = path('other-home');
    await initHome(homePath, { clock: systemClock, random: systemRandom });
    await using other = await test.ports({ homePath });
    await importPool(other, { path: path('pool'), name: 'mine' });
    await using first = await test.ports();
    await expect((await first.openPool('main')).putRecord('group', 'g1', group)).rejects.toMatchObject({ code: 'MABS-POOL-FENCED' });
  });

  it('builds the cache of a known pool anew, under the name it has', async () => {
    await aPoolWithGroup();
    await using ports = await test.ports();
    const { id } = (await ports.home.listPools())[0]!;
    await ports.catalog.putRecord({ poolId: id, kind: 'hold', owner: 'stale', number: 9, payload: {} });
    expect(await importPool(ports, { path: path('pool'), name: 'ignored' })).toMatchObject({
      name: 'main',
      rebuilt: true,
      holds: 1,
      groupsUnconfirmed: false,
    });
    expect((await ports.catalog.listRecords('hold')).map(({ owner }) => owner)).toEqual(['m1', 'm2']);
  });

  it('refuses a folder without a pool, and changes nothing', async () => {
    await using ports = await test.ports();
    await expect(importPool(ports, { path: await test.makeFolder('none') })).rejects.toMatchObject({
      code: expect.stringMatching(/^MABS-/),
    });
    expect(await ports.home.listPools()).toEqual([]);
  });
});

describe('opening a pool', () => {
  it('fails for a name that the home does not know, with those it may have meant', async () => {
    await using ports = await test.ports();
    await addPool(ports, { name: 'main', path: path('pool'), ...plain });
    await expect(ports.openPool('mian')).rejects.toMatchObject({ code: 'MABS-POOL-UNKNOWN', hint: 'Did you mean main?' });
  });

  it('notices that another pool lies there', async () => {
    await using ports = await test.ports();
    const { id } = await addPool(ports, { name: 'main', path: path('pool'), ...plain });
    await addPool(ports, { name: 'two', path: path('two'), ...plain });
    await ports.home.putPool({ name: 'main', id, path: path('two') });
    await using next = await test.ports();
    await expect(next.openPool('main')).rejects.toMatchObject({ code: 'MABS-POOL-REPLACED' });
  });

  it('sees what the pool got since the catalog last looked', async () => {
    await using ports = await test.ports();
    await addPool(ports, { name: 'main', path: path('pool'), ...plain });
    await (await ports.openPool('main')).putRecord('hold', 'm1', { version: 1, reason: 'x' });
    await using next = await test.ports();
    await next.openPool('main');
    expect(await next.catalog.listRecords('hold')).toMatchObject([{ owner: 'm1' }]);
  });
});

it('forgets a pool without touching it, and names the groups that use it', async () => {
  await using ports = await test.ports();
  await addPool(ports, { name: 'main', path: path('pool'), ...plain });
  await (await ports.openPool('main')).putRecord('group', 'g1', {
    version: 1,
    id: 'g1',
    name: 'servers',
    pool: 'main',
    policy: defaultPolicy,
    members: [],
    createdAt: '',
  });
  await using next = await test.ports();
  await next.openPool('main');
  const plan = await planRemovePool(next, 'main');
  expect(plan).toMatchObject({ pool: { name: 'main' }, groups: ['servers'] });
  await removePool(next, plan.pool);
  expect(await next.home.listPools()).toEqual([]);
  expect(await next.catalog.listRecords('group')).toEqual([]);
  expect(await importPool(next, { path: path('pool') })).toMatchObject({ groups: ['servers'] });
});
