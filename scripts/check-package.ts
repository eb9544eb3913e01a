/**
 * Packs the project, installs the package as a user would and tries it: `npm run check:package`. What is in the package, that its
 * lock file names no server, that the installed program does the whole demonstration from an empty folder, and that an older Node.js,
 * where one is in PATH, is told in one line (exit code 5).
 */
import { access, mkdir, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { packageProblems } from './package/package-problems.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const windows = process.platform === 'win32';
const folder = await mkdtemp(join(tmpdir(), 'mabs-package-'));
/** Node.js 24 first, whatever the shell has. */
const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter);
let passed = 0;
let failed = 0;
try {
  await checkLockFile();
  const program = await install(await pack());
  await checkProgram(program);
  await checkOlderNode(program);
} catch (error) {
  expect('the checks reach their end', error instanceof Error ? (error.stack ?? error.message) : String(error));
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

async function checkLockFile(): Promise<void> {
  const text = await readFile(join(ROOT, 'package-lock.json'), 'utf8');
  expect('package-lock.json records no download addresses', /"resolved"|https?:\/\/[^"]*\.tgz/.exec(text)?.[0]);
}

async function pack(): Promise<string> {
  const { stdout } = await execa('npm', ['pack', '--json', '--pack-destination', folder], { cwd: ROOT, env: { PATH }, stderr: 'inherit' });
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf('['))) as [{ filename: string; files: { path: string }[] }];
  const names = packed.files.map(({ path }) => path);
  expect(`the package has what it needs and nothing else (${names.length} files)`, (await packageProblems(ROOT, names)).join(', '));
  return join(folder, packed.filename);
}

/** Answers the path of the installed program. */
async function install(file: string): Promise<string> {
  const prefix = join(folder, 'prefix');
  await mkdir(join(prefix, 'lib'), { recursive: true });
  const words = ['install', '--global', '--prefix', prefix, '--no-audit', '--no-fund', '--loglevel', 'error', file];
  const { exitCode, stderr } = await execa('npm', words, { cwd: folder, env: { PATH }, reject: false });
  expect('it installs globally', exitCode === 0 ? undefined : stderr);
  await access(windows ? join(prefix, 'mabs.cmd') : join(prefix, 'bin', 'mabs'));
  return await realpath(join(prefix, ...(windows ? [] : ['lib']), 'node_modules', 'mabs', 'bin', 'mabs.js'));
}

async function checkProgram(program: string): Promise<void> {
  const empty = join(folder, 'empty');
  await mkdir(empty);
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const told = await execa(process.execPath, [program, 'version'], { cwd: empty, reject: false });
  expect(`mabs version says ${version}`, told.exitCode === 0 && told.stdout.includes(version) ? undefined : told.stdout + told.stderr);
  if (!windows) {
    const started = await execa(join(folder, 'prefix', 'bin', 'mabs'), ['version'], { cwd: empty, env: { PATH }, reject: false });
    expect('it starts by its name', started.stdout.includes(version) ? undefined : started.stderr);
  }
  const words = [join(ROOT, 'scripts', 'demo.ts'), '--mabs', program];
  const demo = await execa(process.execPath, words, { cwd: empty, all: true, reject: false });
  expect('it does all of the demonstration from an empty folder', demo.exitCode === 0 ? undefined : demo.all);
}

async function checkOlderNode(program: string): Promise<void> {
  const older = await findOlderNode();
  if (!older) {
    console.log('skipped  no older Node.js in PATH');
    return;
  }
  const { exitCode, stdout, stderr } = await execa(older, [program, 'version'], { reject: false });
  const asItShould = exitCode === 5 && stdout === '' && stderr.split('\n').length === 1 && stderr.includes('MABS-NODE-TOO-OLD');
  expect(`${older} is told that it is too old, in one line`, asItShould ? undefined : `exit ${exitCode}: ${stdout}${stderr}`);
}

/** A Node.js below 24 in PATH that no project brought along. */
async function findOlderNode(): Promise<string | undefined> {
  for (const place of (process.env.PATH ?? '').split(delimiter)) {
    if (place === '' || /[\\/]node_modules[\\/]/.test(`${place}/`)) continue;
    const node = join(place, windows ? 'node.exe' : 'node');
    const { stdout, failed: none } = await execa(node, ['--version'], { reject: false });
    if (!none && Number.parseInt(String(stdout).slice(1), 10) < 24) return node;
  }
  return undefined;
}

function expect(what: string, problem: string | undefined): void {
  if (problem) failed += 1;
  else passed += 1;
  console.log(problem ? `FAILED  ${what}: ${problem}` : `passed  ${what}`);
}
