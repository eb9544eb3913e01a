import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { alertListCommand } from '../../src/cli/alert/list.ts';
import type { App, Choice } from '../../src/cli/app.ts';
import { checkpointCommand } from '../../src/cli/checkpoint.ts';
import { groupListCommand } from '../../src/cli/group/list.ts';
import { groupRemoveCommand } from '../../src/cli/group/remove.ts';
import { groupShowCommand } from '../../src/cli/group/show.ts';
import { jobListCommand } from '../../src/cli/job/list.ts';
import { jobShowCommand } from '../../src/cli/job/show.ts';
import { pointCalendarCommand } from '../../src/cli/point/calendar.ts';
import { pointHoldCommand } from '../../src/cli/point/hold.ts';
import { pointListCommand } from '../../src/cli/point/list.ts';
import { pointReleaseCommand } from '../../src/cli/point/release.ts';
import { pointRemoveCommand } from '../../src/cli/point/remove.ts';
import { pointShowCommand } from '../../src/cli/point/show.ts';
import { protectCommand } from '../../src/cli/protect.ts';
import { commandLineOf } from '../../src/cli/protect-wizard.ts';
import { recoverCommand } from '../../src/cli/recover.ts';
import { statusCommand } from '../../src/cli/status.ts';
import { syncCommand } from '../../src/cli/sync.ts';
import { listGroups } from '../../src/core/groups.ts';
import { fakeApp } from '../builders/fake-app.ts';
import { aJobHome, type JobHome } from '../builders/job-home.ts';
import { runCommand } from '../builders/run-command.ts';

let home: JobHome;
beforeEach(async () => {
  home = await aJobHome([
    { name: 'web', state: 'off' },
    { name: 'db', state: 'off' },
  ]);
});
afterEach(async () => {
  await home[Symbol.asyncDispose]();
});

const anApp = (overrides: Parameters<typeof fakeApp>[0] = {}) => fakeApp({ ports: async () => home.ports as never, ...overrides });

/** Runs one command line; answers what it printed and would have ended with. */
async function run(
  command: (app: App) => Parameters<typeof runCommand>[0],
  words: string[],
  overrides: Parameters<typeof fakeApp>[0] = {},
) {
  const app = anApp(overrides);
  await runCommand(command(app), ...words);
  return { stdout: app.stdout(), stderr: app.stderr(), exitCode: app.exitCode(), rendered: app.rendered.at(-1) };
}
const protect = (...words: string[]) => run(protectCommand, ['--group', 'servers', ...words]);

describe('mabs protect', () => {
  it('records a new group without a question', async () => {
    const { stdout } = await protect('--member', 'hv1/web', 'hv1/db');
    expect(stdout).toContain('mabs checkpoint --group servers');
    expect((await run(groupListCommand, [])).stdout).toMatch(/servers +main +10d +before-checkpoint +20:00 +hv1\/web hv1\/db/);
    expect((await run(groupShowCommand, ['servers'])).stdout).toContain('leave-out        pagefile');
  });

  it('shows what changes in an existing group, and asks', async () => {
    await protect('--member', 'hv1/web');
    const change = ['--group', 'servers', '--member', 'hv1/db', '--retention', '30d'];
    const refused = await run(protectCommand, change, { answers: [false] });
    expect(refused.stderr).toContain('+ hv1/db');
    expect(refused.stderr).toContain('--retention: 10d → 30d');
    expect((await listGroups(home.ports))[0]!.group.members).toHaveLength(1);
    expect((await run(protectCommand, [...change, '--dry-run'])).rendered).toMatchObject({ status: 'planned', added: ['hv1/db'] });
    expect((await listGroups(home.ports))[0]!.group.members).toHaveLength(1);
    await run(protectCommand, change, { yes: true });
    expect((await listGroups(home.ports))[0]!.group.members).toHaveLength(2);
  });

  it('names the flags that are missing where nobody can be asked', async () => {
    await expect(run(protectCommand, [])).rejects.toMatchObject({ kind: 'usage', message: expect.stringContaining('--group, --member') });
  });

  it('names the pool, too, where there are several', async () => {
    const [pool] = await home.ports.home.listPools();
    const listPools = async () => [pool, { ...pool, name: 'second' }];
    const two = { ports: async () => ({ ...home.ports, home: { ...home.ports.home, listPools } }) as never };
    await expect(run(protectCommand, [], two)).rejects.toMatchObject({ message: 'mabs protect needs --group, --member, --pool' });
    await expect(run(protectCommand, ['--pool', 'main'], two)).rejects.toMatchObject({ message: 'mabs protect needs --group, --member' });
  });

  it('changes nothing of an existing group by the questions that is not answered otherwise', async () => {
    await protect('--member', 'hv1/web', '--retention', '30d', '--checkpoint', '06:00');
    const steps = ['policy', 'done'];
    const app = anApp({
      interactive: true,
      yes: true,
      ask: async ({ default: usual }) => usual!,
      choose: async <T>() => steps.shift() as T,
      chooseMany: async <T>(_message: string, choices: readonly Choice<T>[]) =>
        choices.filter(({ name }) => name === 'hv1/db').map(({ value }) => value),
    });
    await runCommand(protectCommand(app), '--group', 'servers');
    expect(app.stderr()).toMatch(/retention +30d/);
    expect((await listGroups(home.ports))[0]!.group).toMatchObject({
      members: [{ vmName: 'web' }, { vmName: 'db' }],
      policy: { retentionMs: 30 * 86_400_000, checkpointTimes: ['06:00'] },
    });
  });

  it('asks for the basics on a terminal, lets a step be taken back, and tells the command line', async () => {
    const steps = ['group', 'done'];
    const names = ['first', 'second'];
    const app = anApp({
      interactive: true,
      ask: async ({ message, default: usual, check }) => {
        const answer = message.startsWith('Name of') ? names.shift()! : usual!;
        expect(check?.(answer)).toBeUndefined();
        return answer;
      },
      choose: async <T>(_message: string, choices: readonly Choice<T>[]) =>
        choices.find(({ value }) => value === steps[0])!.value && (steps.shift() as T),
      chooseMany: async <T>(_message: string, choices: readonly Choice<T>[]) => choices.slice(0, 1).map(({ value }) => value),
    });
    await runCommand(protectCommand(app));
    const [group] = await listGroups(home.ports);
    expect(group!.group).toMatchObject({ name: 'second', members: [{}] });
    expect(app.stderr()).toContain(`mabs protect --group second --member hv1/${group!.group.members[0]!.vmName} --retention 10d`);
  });

  it('asks with the GUIDs of VMs that have one name, or a name that cannot be typed', async () => {
    await home.change('web', (definition) => Object.assign(definition, { name: 'same' }));
    await home.change('db', (definition) => Object.assign(definition, { name: 'SAME' }));
    const asked: unknown[] = [];
    const look = async () => {
      const chooseMany = async <T>(_message: string, choices: readonly Choice<T>[]) => {
        asked.push(...choices.map(({ value }) => value));
        throw new Error('seen');
      };
      await expect(runCommand(protectCommand(anApp({ interactive: true, chooseMany })), '--group', 'servers')).rejects.toThrow('seen');
    };
    await look();
    await home.change('db', (definition) => Object.assign(definition, { name: 'tab\there' }));
    await look();
    const [web, db] = ['web', 'db'].map((name) => `hv1/{${home.vm(name).id}}`);
    expect(new Set(asked.slice(0, 2))).toEqual(new Set([web, db]));
    expect(new Set(asked.slice(2))).toEqual(new Set(['hv1/same', db]));
  });

  it('writes command lines that a shell takes', () =>
    expect(commandLineOf({ group: "Ada's", members: ['hv1/my vm'], policy: { leaveOut: [] }, pool: 'main' })).toBe(
      `mabs protect --group 'Ada'\\''s' --member 'hv1/my vm' --pool main --leave-out none`,
    ));
});

describe('the jobs of members', () => {
  beforeEach(() => protect('--member', 'hv1/web', 'hv1/db').then(() => {}));

  it('throw the one failure of the one member, so that it is told as any other', async () => {
    await home.faults('web', 'capture-fails');
    await expect(run(syncCommand, ['hv1/web'])).rejects.toMatchObject({ code: 'MABS-HOST-CAPTURE-FAILED' });
    const asJson = await run(syncCommand, ['hv1/web'], { json: true });
    expect(asJson).toMatchObject({
      exitCode: 1,
      rendered: { members: [{ status: 'failed' }], error: { code: 'MABS-HOST-CAPTURE-FAILED' } },
    });
  });

  it('ask for the members on a terminal where none is named, and tell the command line', async () => {
    const answers = [[], ['hv1/db']];
    const chooseMany = async <T>(_message: string, choices: readonly Choice<T>[]) => {
      const chosen = answers.shift()!;
      return choices.filter(({ name }) => chosen.includes(name)).map(({ value }) => value);
    };
    const { rendered, stderr } = await run(checkpointCommand, ['--verify', 'later'], { interactive: true, chooseMany });
    expect(rendered).toMatchObject({ members: [{ vm: 'hv1/db', status: 'ok' }] });
    expect(stderr).toContain('mabs checkpoint --verify later hv1/db');
    await expect(run(syncCommand, [])).rejects.toMatchObject({ code: 'MABS-NOTHING-SELECTED', kind: 'usage' });
  });

  it('end with 3 when some of several failed, and list each', async () => {
    await home.faults('web', 'capture-fails');
    const { exitCode, stdout } = await run(syncCommand, ['--all']);
    expect(exitCode).toBe(3);
    expect(stdout).toContain('✖ hv1/web');
    expect(stdout).toContain('✔ hv1/db');
    expect((await run(alertListCommand, [])).stdout).toContain('sync failed');
    expect((await run(jobListCommand, [])).stdout).toMatch(/sync +partly/);
  });

  it('show points, days, holds and status', async () => {
    await run(checkpointCommand, ['--all']);
    await run(checkpointCommand, ['hv1/web', '--no-sync']);
    expect((await run(pointListCommand, ['hv1/web'])).stdout.trim().split('\n')).toHaveLength(3);
    expect((await run(pointCalendarCommand, ['hv1/web'])).stdout).toContain('·2');
    expect((await run(pointHoldCommand, ['hv1/web@latest', '--reason', 'audit'])).stdout).toContain('is held: audit');
    expect((await run(pointShowCommand, ['hv1/web@latest'])).stdout).toContain('audit');
    await expect(run(pointRemoveCommand, ['hv1/web@latest'], { yes: true })).rejects.toMatchObject({ code: 'MABS-POINT-HELD' });
    expect((await run(pointReleaseCommand, ['hv1/web@latest'])).stdout).toContain('no longer held');
    expect((await run(pointRemoveCommand, ['hv1/web@latest'], { answers: [false] })).rendered).toMatchObject({ trashed: false });
    expect((await run(pointRemoveCommand, ['hv1/web@latest'], { yes: true })).rendered).toMatchObject({ trashed: true });
    expect((await run(statusCommand, ['--check', '--max-age', '1h'])).exitCode).toBe(0);
    expect(await run(statusCommand, ['--check', '--drilled-within', '1h'])).toMatchObject({ exitCode: 8 });
    const [job] = (await run(jobListCommand, [])).rendered as { id: string }[];
    expect((await run(jobShowCommand, [job!.id.slice(0, 8)])).stdout).toContain('checkpoint');
  });

  it('remove a group only after a question, and keep its points', async () => {
    await run(checkpointCommand, ['--all']);
    expect((await run(groupRemoveCommand, ['servers'], { answers: [false] })).stdout).toContain('Nothing was changed');
    expect((await run(groupRemoveCommand, ['servers', '--dry-run'])).stdout).toContain('keep the recovery points');
    expect((await run(groupRemoveCommand, ['servers'], { yes: true })).stdout).toContain('2 recovery points are kept');
  });
});

describe('mabs recover', () => {
  it.each([
    [['--to', 'original', '--format', 'raw'], '--format'],
    [['--to', 'folder:/x', '--keep-old', '1h'], '--keep-old'],
    [['--to', 'folder:/x', '--make-highly-available'], '--make-highly-available'],
    [['--to', 'host:hv1', '--network', 'a=b,c'], '--network'],
    [['--to', 'folder:/x', '--format', 'qcow2'], '--format'],
  ])('refuses %j', (words, flag) =>
    expect(run(recoverCommand, ['hv1/web@latest', ...words])).rejects.toMatchObject({
      kind: 'usage',
      message: expect.stringContaining(flag),
    }),
  );

  it('asks before it replaces the disks of a VM, and names it whatever the point was called', async () => {
    await protect('--member', 'hv1/web');
    await run(checkpointCommand, ['hv1/web']);
    const id = (await run(pointListCommand, [])).rendered as { id: string; capturedAt: string }[];
    const questions: string[] = [];
    const confirm = async (question: string) => questions.push(question) < 0;
    await expect(run(recoverCommand, [id[0]!.id, '--to', 'original'], { confirm })).rejects.toMatchObject({ kind: 'usage' });
    expect(questions).toEqual([expect.stringContaining(`Replace the disks of hv1/web by those captured at ${id[0]!.capturedAt}?`)]);
  });
});
