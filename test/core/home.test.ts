import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { initHome } from '../../src/core/home.ts';
import type { JournalEntry } from '../../src/core/ports.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { aHome, type TestHome } from '../builders/a-home.ts';

let test: TestHome;
beforeEach(async () => {
  test = await aHome();
});
afterEach(async () => {
  await test[Symbol.asyncDispose]();
});

const world = { clock: systemClock, random: systemRandom };

describe('a home', () => {
  it('is made once: another init changes nothing', async () => {
    const before = await readFile(join(test.homePath, 'home.json'), 'utf8');
    const again = await initHome(test.homePath, world);
    expect(again).toEqual({ id: JSON.parse(before).id, created: false });
    expect(await readFile(join(test.homePath, 'home.json'), 'utf8')).toBe(before);
  });

  it('is readable by its owner only', async () => {
    const path = join(test.folder, 'other');
    await initHome(path, world);
    if (process.platform !== 'win32') {
      expect((await stat(path)).mode & 0o777).toBe(0o700);
      expect((await stat(join(path, 'home.json'))).mode & 0o777).toBe(0o600);
    }
  });

  it('is missing where nobody made one, and nothing is made there by looking', async () => {
    const path = await test.makeFolder('empty');
    await expect(test.ports({ homePath: path })).rejects.toMatchObject({ code: 'MABS-HOME-MISSING', kind: 'prerequisite' });
    expect(await readdir(path)).toEqual([]);
  });

  it('is left alone when a newer mabs wrote it', async () => {
    await writeFile(join(test.homePath, 'home.json'), JSON.stringify({ version: 2, secretsOfTomorrow: true }));
    await expect(test.ports()).rejects.toMatchObject({ code: 'MABS-HOME-NEWER', kind: 'newer' });
    await expect(initHome(test.homePath, world)).rejects.toMatchObject({ code: 'MABS-HOME-NEWER' });
  });

  it.each(['not JSON', '[]', '{"version":1}', '{"version":1,"hosts":[{"name":"a/b","type":"lab","path":"/x"}]}'])(
    'tells a file that cannot be understood: %s',
    async (content) => {
      await using ports = await test.ports();
      await writeFile(join(test.homePath, 'hosts.json'), content);
      await expect(ports.home.listHosts()).rejects.toMatchObject({ code: 'MABS-HOME-FILE' });
    },
  );

  it('keeps hosts and pools, one of a name', async () => {
    await using ports = await test.ports();
    const { home } = ports;
    await home.putHost({ name: 'hv1', type: 'lab', path: '/a' });
    await home.putHost({ name: 'HV1', type: 'lab', path: '/b' });
    await home.putPool({ name: 'main', id: 'p1', path: '/p', secret: { file: '/f' } });
    await home.putPool({ name: 'main', id: 'p1', path: '/p', groupsUnconfirmed: true });
    await using again = await test.ports();
    expect(await again.home.listHosts()).toEqual([{ name: 'HV1', type: 'lab', path: '/b' }]);
    expect(await again.home.listPools()).toEqual([{ name: 'main', id: 'p1', path: '/p', groupsUnconfirmed: true }]);
    await again.home.removeHost('hv1');
    await again.home.removePool('MAIN');
    expect([...(await home.listHosts()), ...(await home.listPools())]).toEqual([]);
  });

  it('loses no change when many are made at once', async () => {
    await using one = await test.ports();
    await using two = await test.ports();
    const names = Array.from({ length: 12 }, (_, index) => `h${index}`);
    await Promise.all(names.map((name, index) => (index % 2 ? one : two).home.putHost({ name, type: 'lab', path: '/x' })));
    expect((await one.home.listHosts()).map(({ name }) => name).sort()).toEqual([...names].sort());
  });

  it('leaves no temporary file behind', async () => {
    await using ports = await test.ports();
    await ports.home.putHost({ name: 'hv1', type: 'lab', path: '/a' });
    expect((await readdir(test.homePath)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

describe('its journal', () => {
  const entry = (id: string): JournalEntry => ({
    id,
    kind: 'capture',
    host: 'hv1',
    vmId: 'v1',
    vmName: 'web',
    at: '2026-11-20T18:00:00.000Z',
    lock: 'datasource-x',
    facts: { snapshot: 's1', nested: { list: [1, 2] } },
  });

  it('keeps entries until they are removed, also for the next process', async () => {
    await using ports = await test.ports();
    await ports.home.journal.put(entry('b'));
    await ports.home.journal.put(entry('a'));
    await ports.home.journal.put({ ...entry('b'), facts: {} });
    await using next = await test.ports();
    expect(await next.home.journal.list()).toEqual([entry('a'), { ...entry('b'), facts: {} }]);
    await next.home.journal.remove('a');
    await next.home.journal.remove('a');
    expect((await ports.home.journal.list()).map(({ id }) => id)).toEqual(['b']);
  });

  it('passes over files that are no entries', async () => {
    await using ports = await test.ports();
    for (const [name, content] of Object.entries({ 'x.json': '{', 'y.json': '{}', 'z.json.1.tmp': '{}' })) {
      await writeFile(join(test.homePath, 'journal', name), content);
    }
    expect(await ports.home.journal.list()).toEqual([]);
  });

  it('takes no id that is a path', async () => {
    await using ports = await test.ports();
    await expect(ports.home.journal.put(entry('../evil'))).rejects.toThrow();
  });
});
