import { describe, expect, it } from '@jest/globals';
import type { CommandBuilder } from '../../src/cli/app.ts';
import { completionScript, SHELLS } from '../../src/cli/completion-scripts.ts';
import { nounHelp, programHelp } from '../../src/cli/help.ts';
import { completeArguments } from '../../src/cli/missing-arguments.ts';
import { commandsUnder, findCommand, program } from '../../src/cli/program.ts';
import { fakeApp } from '../builders/fake-app.ts';

async function build(name: string, app = fakeApp()) {
  const exports = Object.entries(await findCommand(name.split(' '))!.entry.load());
  const builders = exports.filter(([exported]) => exported.endsWith('Command'));
  expect(builders).toHaveLength(1);
  return (builders[0]![1] as CommandBuilder)(app);
}

describe.each(program.map(({ name }) => [name]))('mabs %s', (name) => {
  it('is built by the one builder of its module and has examples', async () => {
    const command = await build(name);
    const text: string[] = [];
    command.configureOutput({ writeOut: (part) => text.push(part) }).outputHelp();
    expect(text.join('')).toContain('Examples:');
  });
});

describe('finding a command', () => {
  it.each([
    ['pool key add vault', 'pool key add', ['vault']],
    ['pool add main', 'pool add', ['main']],
    ['sync hv1/web', 'sync', ['hv1/web']],
    ['point create', 'point create', []],
  ])('takes the longest name: %s', (line, name, rest) => expect(findCommand(line.split(' '))).toMatchObject({ entry: { name }, rest }));

  it('knows none of other names', () => {
    expect(findCommand(['pool'])).toBeUndefined();
    expect(findCommand(['pool', 'ad'])).toBeUndefined();
    expect(commandsUnder(['pool', 'key']).map(({ name }) => name)).toContain('pool key export');
  });
});

it('has every command once', () => expect(new Set(program.map(({ name }) => name)).size).toBe(program.length));

describe('help', () => {
  it('lists every command with its summary', () => {
    const help = programHelp(program);
    for (const { name, summary } of program) expect(help).toMatch(new RegExp(`^  ${name} +${summary}$`, 'm'));
  });

  it('lists the commands of a noun', () => expect(nounHelp(['host'], commandsUnder(['host']))).toContain('host remove'));
});

describe('missing arguments', () => {
  it('are named all at once where nobody can be asked', async () => {
    await expect(completeArguments(fakeApp(), 'host add', await build('host add'), [])).rejects.toMatchObject({
      code: 'MABS-USAGE',
      message: 'mabs host add needs <name>, --type',
    });
    await expect(completeArguments(fakeApp(), 'host add', await build('host add'), ['--type=lab', '--path', 'x'])).rejects.toMatchObject({
      message: 'mabs host add needs <name>',
    });
  });

  it('are asked for on a terminal, and the command line that says the same is told', async () => {
    const answers = ['hv1', 'la b'];
    const app = fakeApp({ interactive: true, ask: async () => answers.shift()! });
    const words = await completeArguments(app, 'host add', await build('host add', app), ['--path', 'x']);
    expect(words).toEqual(['--path', 'x', 'hv1', '--type', 'la b']);
    expect(app.stderr()).toContain("mabs host add --path x hv1 --type 'la b'");
  });

  it('are none where everything is there', async () => {
    const words = ['--path', 'x', '--type', 'lab', '--', '-odd'];
    expect(await completeArguments(fakeApp(), 'host add', await build('host add'), words)).toEqual(words);
  });
});

describe.each(SHELLS)('the completion for %s', (shell) => {
  it('knows nouns, verbs and options', () => {
    const words = { commands: [{ name: 'pool add', summary: "a pool's", options: ['--path'] }], globals: ['--json'] };
    const script = completionScript(shell, words);
    for (const word of ['pool', 'add', 'path', 'json']) expect(script).toContain(word);
  });
});
