import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { App, Choice } from '../../src/cli/app.ts';
import { browseCommand } from '../../src/cli/browse.ts';
import { InterruptedError } from '../../src/lib/errors.ts';
import { type FakeApp, fakeApp } from '../builders/fake-app.ts';
import { runCommand } from '../builders/run-command.ts';
import { aTreeHome, type TreeHome } from '../builders/tree-home.ts';

let tree: TreeHome;
let folder: string;
beforeAll(async () => {
  tree = await aTreeHome([{ name: 'web', disks: 2, state: 'off' }]);
  await tree.put('web', 0, {
    files: {
      '/home/ada/notes.txt': 'notes',
      '/home/ada/pictures/cat.jpg': 'meow',
      '/home/bob/plan.txt': 'a longer plan',
      '/home/bob/way': { target: '../ada' },
      '/etc/fstab': '/dev/sda1',
      '/gone': { damaged: true },
    },
  });
  await tree.put('web', 1, { files: {}, broken: 'unsupported' });
  await tree.point();
});
afterAll(async () => {
  await tree[Symbol.asyncDispose]();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mabs-browse-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const listing = (): FakeApp => fakeApp({ json: true, ports: async () => tree.ports });

describe('mabs browse without a terminal', () => {
  it('lists the volumes of a point, with its disks in front', async () => {
    const app = listing();
    await runCommand(browseCommand(app), 'hv1/web@latest');
    expect(JSON.parse(app.stdout())).toMatchObject([
      { path: '/disk0/p1', type: 'dir', fileSystem: 'xfs' },
      { path: '/disk1/p1', type: 'other', unreadable: 'the volume is xfs of the year 3000' },
    ]);
  });

  it('lists what lies below a path, as disk ls does', async () => {
    const app = listing();
    await runCommand(browseCommand(app), 'hv1/web@latest:/disk0/p1/home', '--recursive');
    const paths = JSON.parse(app.stdout()).map(({ path }: { path: string }) => path);
    expect(paths).toContain('/home/ada/pictures/cat.jpg');
    expect(paths).not.toContain('/etc/fstab');
  });

  it('refuses what names no place', async () => {
    await expect(runCommand(browseCommand(listing()), 'hv1/web@latest:/p1')).rejects.toMatchObject({ code: 'MABS-NAME-UNREADABLE' });
    await expect(runCommand(browseCommand(listing()), 'hv1/web@latest:/disk9/p1')).rejects.toMatchObject({ code: 'MABS-DISK-UNKNOWN' });
  });
});

/** One answer: the row that begins with this text (after its box), names to check, or what is typed. */
type Answer = string | readonly string[] | { readonly type: string };

/** A person at a terminal who answers one question after the other; what each was asked, and what rows there were. */
function aPerson(answers: readonly Answer[]): { readonly app: FakeApp; readonly screens: string[][]; readonly titles: string[] } {
  const left = [...answers];
  const screens: string[][] = [];
  const titles: string[] = [];
  const next = (): Answer => {
    const answer = left.shift();
    if (answer === undefined) throw new InterruptedError();
    return answer;
  };
  const bare = (name: string) => name.replace(/^(\[.\] |· | +)/, '');
  const row = <T>(choices: readonly Choice<T>[], text: string): T => {
    const found = choices.find(({ name }) => bare(name).startsWith(text));
    if (!found) throw new Error(`there is no ${text} among ${choices.map(({ name }) => name).join(', ')}`);
    return found.value;
  };
  const search: App['search'] = async (message, find) => {
    titles.push(message);
    screens.push(find(undefined).map(({ name }) => name));
    const answer = next();
    if (typeof answer === 'string') return row(find(undefined), answer);
    if (!('type' in answer)) throw new Error('a search takes one row');
    const [typed, wanted] = answer.type.split(' then ');
    screens.push(find(typed).map(({ name }) => name));
    return row(find(typed), wanted!);
  };
  const app = fakeApp({
    interactive: true,
    ports: async () => tree.ports,
    search,
    chooseMany: async (message, choices) => {
      titles.push(message);
      screens.push(choices.map(({ name, checked }) => `${checked ? '[x]' : '[ ]'} ${name}`));
      return (next() as readonly string[]).map((name) => row(choices, name));
    },
    ask: async ({ message }) => {
      titles.push(message);
      return (next() as { type: string }).type;
    },
  });
  return { app, screens, titles };
}

async function browse(answers: readonly Answer[], point = 'hv1/web@latest') {
  const person = aPerson(answers);
  await runCommand(browseCommand(person.app), point);
  return person;
}

describe('mabs browse on a terminal', () => {
  it('walks from the volumes into folders and back', async () => {
    const { titles, screens } = await browse(['/disk0/p1', 'home/', 'ada/', '..', '..', '..', 'Leave']);
    expect(titles).toEqual([
      ...['hv1/web', 'hv1/web:/disk0/p1', 'hv1/web:/disk0/p1/home', 'hv1/web:/disk0/p1/home/ada'],
      ...['hv1/web:/disk0/p1/home', 'hv1/web:/disk0/p1', 'hv1/web'],
    ]);
    expect(screens[0]!.slice(0, 2)).toEqual(['[ ] /disk0/p1  xfs  4 MiB', '[ ] /disk1/p1  xfs  4 MiB']);
    expect(screens[1]!.slice(0, 4)).toEqual(['    ..', '[ ] etc/', '[ ] gone  damaged', '[ ] home/']);
    expect(screens[3]!.slice(0, 3)).toEqual(['    ..', '[ ] notes.txt', '[ ] pictures/']);
  });

  it('begins where the path leads', async () => {
    const { titles } = await browse(['Leave'], 'hv1/web@latest:/disk0/p1/home/bob');
    expect(titles).toEqual(['hv1/web:/disk0/p1/home/bob']);
  });

  it('narrows a long list by what is typed', async () => {
    const { screens } = await browse([{ type: 'NOTES then notes.txt' }, 'Leave'], 'hv1/web@latest:/disk0/p1/home/ada');
    expect(screens[1]!.slice(0, 2)).toEqual(['[ ] notes.txt', '    ..']);
    expect(screens[2]).toContain('[x] notes.txt');
  });

  it('takes what is typed for the menu, too', async () => {
    const { screens } = await browse([{ type: 'leav then Leave' }], 'hv1/web@latest:/disk0/p1/home/ada');
    expect(screens[1]![0]).toBe('· Leave');
  });

  it('does not show the files in which NTFS keeps itself', async () => {
    await tree.put('web', 1, { type: 'ntfs', files: { '/$MFT': '', '/$Extend/$ObjId': '', '/Users/$MFT': '' } });
    await tree.point();
    const { screens } = await browse(['Users/', 'Leave'], 'hv1/web@latest:/disk1/p1');
    expect(screens[0]!.filter((row) => row.startsWith('['))).toEqual(['[ ] Users/']);
    expect(screens[1]).toContain('[ ] $MFT');
    await tree.put('web', 1, { files: {}, broken: 'unsupported' });
    await tree.point();
  });

  it('keeps marks while walking, counts them, and takes them away', async () => {
    const { app, titles, screens } = await browse(
      ['notes.txt', '..', 'Mark or unmark', ['ada/'], 'ada/', 'notes.txt', '..', 'bob/', 'plan.txt', 'Show what', 'plan.txt', 'Leave'],
      'hv1/web@latest:/disk0/p1/home/ada',
    );
    expect(titles).toContain('hv1/web:/disk0/p1/home (1 marked)');
    // The folder takes the file's own mark in.
    expect(screens.find((rows) => rows.includes('[+] notes.txt'))).toBeDefined();
    expect(app.stderr()).toContain('It lies in a marked folder');
    expect(app.stderr()).toContain('  /disk0/p1/home/ada/\n  /disk0/p1/home/bob/plan.txt\n  22 B in 3 files and 2 folders\n');
    expect(titles.at(-1)).toBe('hv1/web:/disk0/p1/home/bob (1 marked)');
  });

  it('searches below, and marks what it finds', async () => {
    const { app, screens } = await browse(
      ['Search below', { type: '*.txt' }, ['/home/bob/plan.txt'], 'Show what', 'Search below', { type: '*.none' }, 'Leave'],
      'hv1/web@latest:/disk0/p1',
    );
    expect(screens[1]).toEqual(['[ ] /home/ada/notes.txt', '[ ] /home/bob/plan.txt']);
    expect(app.stderr()).toContain('  /disk0/p1/home/bob/plan.txt\n  13 B in 1 file and 0 folders');
    expect(app.stderr()).toContain('Nothing fits *.none.');
  });

  it('brings back what is marked, and tells the command that would have done the same', async () => {
    const { app } = await browse(
      ['Mark or unmark', ['ada/'], 'bob/', 'plan.txt', 'Bring back', { type: folder }],
      'hv1/web@latest:/disk0/p1/home',
    );
    expect(app.stderr()).toMatch(
      /The same without questions: mabs recover hv1\/web@[0-9a-f-]+:\/disk0\/p1\/home\/ada hv1\/web@[0-9a-f-]+:\/disk0\/p1\/home\/bob\/plan.txt --to folder:/,
    );
    expect((await readdir(folder, { recursive: true })).map((name) => name.replaceAll('\\', '/')).sort()).toEqual(
      expect.arrayContaining(['ada', 'ada/notes.txt', 'ada/pictures', 'ada/pictures/cat.jpg', 'plan.txt']),
    );
    expect(await readFile(join(folder, 'plan.txt'), 'utf8')).toBe('a longer plan');
    expect(app.stdout()).toContain('Brought back 3 files');
  });

  it('goes on where something cannot be done', async () => {
    const { app, titles } = await browse(['/disk1/p1', '..', 'Leave']);
    expect(app.stderr()).toContain('the volume is xfs of the year 3000 [MABS-FS-UNSUPPORTED]');
    expect(titles).toEqual(['hv1/web', 'hv1/web:/disk1/p1', 'hv1/web']);
    const { app: again } = await browse(['plan.txt', 'Bring back', { type: '' }, 'Leave'], 'hv1/web@latest:/disk0/p1/home/bob');
    expect(again.stdout()).toBe('');
  });

  it('ends by Ctrl-C', async () => {
    await expect(browse(['/disk0/p1'])).rejects.toMatchObject({ code: 'MABS-INTERRUPTED', kind: 'interrupted' });
  });
});
