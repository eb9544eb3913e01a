import { type StdioOptions, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { aHome, type TestHome } from '../builders/a-home.ts';

const BIN = fileURLToPath(new URL('../../bin/mabs.js', import.meta.url));

/** Runs the program as a user does, from its sources. */
function mabs(args: readonly string[], environment: Record<string, string> = {}) {
  return execa(process.execPath, [BIN, ...args], { reject: false, stdin: 'ignore', env: { MABS_SOURCE: '1', ...environment } });
}

let home: TestHome;
beforeAll(async () => {
  home = await aHome();
});
afterAll(async () => {
  await home[Symbol.asyncDispose]();
});

describe('the program, run as a user runs it', () => {
  it('prints its version and its help on stdout', async () => {
    const [version, help] = await Promise.all([mabs(['--version']), mabs(['--help'])]);
    expect(version).toMatchObject({ exitCode: 0, stderr: '', stdout: expect.stringMatching(/^mabs \d+\.\d+\.\d+ \(Node\.js \d+/) });
    expect(help).toMatchObject({ exitCode: 0, stderr: '', stdout: expect.stringContaining('mabs <command>') });
  });

  const fullDevice = existsSync('/dev/full') ? it : it.skip;
  fullDevice('ends with 6 where what it prints has no room', async () => {
    const full = await open('/dev/full', 'w');
    try {
      for (const args of [['--help'], ['pool', 'list', '--home', home.homePath], ['disk', 'cat', `${BIN}:/p1`]]) {
        const stdio: StdioOptions = ['ignore', full.fd, 'pipe'];
        const run = spawnSync(process.execPath, [BIN, ...args], { stdio, encoding: 'utf8', env: { ...process.env, MABS_SOURCE: '1' } });
        const told = expect.stringMatching(/^mabs: .*\[MABS-NO-SPACE\]\n +\S.*$/m);
        expect({ args, status: run.status, stderr: run.stderr }).toEqual({ args, status: 6, stderr: told });
      }
    } finally {
      await full.close();
    }
  });

  it('suggests what may have been meant, with exit code 2', async () => {
    const { exitCode, stdout, stderr } = await mabs(['pol', 'list']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain('there is no command pol [MABS-USAGE]');
    expect(stderr).toContain('Did you mean mabs pool list');
  });

  it('prints errors as one JSON document where JSON was asked for', async () => {
    const { exitCode, stdout, stderr } = await mabs(['pool', 'show', 'none', '--home', home.homePath, '--json']);
    expect(exitCode).toBe(1);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      error: { code: 'MABS-POOL-UNKNOWN', message: 'there is no pool named none', hint: expect.any(String) },
    });
  });

  it('prints errors of the command line itself that way, too', async () => {
    const { exitCode, stdout } = await mabs(['version', '--json', '--no-such-option']);
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'MABS-USAGE', message: "unknown option '--no-such-option'" } });
  });

  it('names the flags of a secret that it would have asked for', async () => {
    const file = join(home.folder, 'secret');
    await writeFile(file, 'open sesame');
    const environment = { MABS_HOME: home.homePath };
    const add = ['pool', 'add', 'sealed', '--path', join(home.folder, 'sealed'), '--encrypt'];
    const nobody = await mabs(add, environment);
    expect(nobody).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Use --passphrase-file or --passphrase-command.') });
    expect(await mabs([...add, '--passphrase-file', file], environment)).toMatchObject({ exitCode: 0 });
    const another = await mabs(['pool', 'key', 'add', 'sealed'], environment);
    expect(another).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('Use --new-passphrase-file or --new-passphrase-command.'),
    });
  });

  it('asks for yes where there is nobody to ask, and shows stacks only with --debug', async () => {
    const ports = await home.ports();
    await ports.home.putHost({ name: 'hv1', type: 'lab', path: await home.makeFolder('lab') });
    await ports[Symbol.asyncDispose]();
    const [plain, debug, yes] = await Promise.all([
      mabs(['host', 'remove', 'hv1'], { MABS_HOME: home.homePath }),
      mabs(['host', 'remove', 'hv1', '--debug'], { MABS_HOME: home.homePath }),
      mabs(['host', 'remove', 'hv1', '--dry-run', '--json'], { MABS_HOME: home.homePath }),
    ]);
    expect(plain).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('[MABS-NEEDS-YES]') });
    expect(plain.stderr).not.toContain('    at ');
    expect(debug.stderr).toContain('    at ');
    expect(JSON.parse(yes.stdout)).toEqual({ name: 'hv1', protectedVms: [], removed: false });
  });

  it('logs what it did, without the words of the command line', async () => {
    const log = await readFile(join(home.homePath, 'log', 'mabs.log'), 'utf8');
    const lines = log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toContainEqual(expect.objectContaining({ command: 'pool show', code: 'MABS-POOL-UNKNOWN', exitCode: 1 }));
    expect(log).not.toContain('--json');
  });

  it('ends cleanly with 130 when it is interrupted', async () => {
    // A command that gives a passphrase takes long enough to be interrupted: ten seconds.
    const script = join(home.folder, 'slow.mjs');
    await writeFile(script, 'process.stderr.write("ready\\n"); setTimeout(() => {}, 10_000);');
    const running = mabs(['pool', 'add', 'vault', '--path', join(home.folder, 'vault'), '--encrypt'], {
      MABS_HOME: home.homePath,
      MABS_PASSPHRASE_COMMAND: `"${process.execPath}" "${script}"`,
    });
    running.stderr!.on('data', (data: Buffer) => {
      if (data.includes('ready')) running.kill('SIGINT');
    });
    const { exitCode, stderr } = await running;
    expect(exitCode).toBe(130);
    expect(stderr).toContain('[MABS-INTERRUPTED]');
  });
});

describe('bin/mabs.js', () => {
  const runOn = async (node: string) => {
    const written: string[] = [];
    const process = { versions: { node }, version: `v${node}`, stderr: { write: (text: string) => written.push(text) }, exitCode: 0 };
    vm.runInNewContext((await readFile(BIN, 'utf8')).replace(/^#!.*/, ''), { process });
    return { exitCode: process.exitCode, stderr: written.join('') };
  };

  it.each(['10.24.1', '20.20.2', '23.11.0'])('says in one line what to install on Node.js %s', async (node) => {
    const { exitCode, stderr } = await runOn(node);
    expect(exitCode).toBe(5);
    expect(stderr).toMatch(/^mabs needs Node\.js 24 or newer, and this is v[\d.]+: .*\n$/);
  });

  it('uses nothing that Node.js 10 could not parse', async () => {
    const code = (await readFile(BIN, 'utf8')).replace(/^\s*\/\/.*$/gm, '').replace(/\/\*[\s\S]*?\*\//g, '');
    expect(code).not.toMatch(/\?\.\w|\?\?|\bimport\s+[\w{*]|\bexport\b|[|&]{2}=/);
  });
});
