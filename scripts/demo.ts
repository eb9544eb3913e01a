/**
 * The main job on the embedded lab, from nothing to byte-equal restores: `npm run demo`. Every step is a mabs command as a user
 * types it; what is compared is the SHA-256 of whole disks. Ends with exit code 1 when anything differs. `--mabs FILE` runs another
 * program than this folder's, `--keep` leaves everything where it was made.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import chalk from 'chalk';
import { execa } from 'execa';

const { values } = parseArgs({ options: { mabs: { type: 'string' }, keep: { type: 'boolean' } } });
const MABS = values.mabs ?? fileURLToPath(new URL('../bin/mabs.js', import.meta.url));
const started = performance.now();
const folder = await mkdtemp(join(tmpdir(), 'mabs-demo-'));
const environment = { MABS_HOME: join(folder, 'home') };

try {
  await demo();
} finally {
  if (values.keep) console.log(`\nKept: ${folder}`);
  else await rm(folder, { recursive: true, force: true });
}

async function demo(): Promise<void> {
  const lab = join(folder, 'lab');
  const pool = join(folder, 'pool');

  title('A backup server, a simulated Hyper-V host, a disk pool');
  await mabs('init');
  await mabs('lab', 'init', lab);
  await mabs('host', 'add', 'hv1', '--type', 'lab', '--path', lab);
  await mabs('pool', 'add', 'main', '--path', pool);
  await mabs('vm', 'list');
  const vms = await json<{ host: string; name: string }[]>('vm', 'list');
  const names = vms.map((vm) => `${vm.host}/${vm.name}`);

  title('Protect both VMs: initial replica, read back whole, and a first recovery point');
  await mabs('protect', '--group', 'servers', ...names.flatMap((name) => ['--member', name]), '--retention', '10d', '--yes');
  const expected = new Map<string, string[]>();
  await point(expected);

  title('One file out of each, straight from the pool: no disk is restored for it');
  const file = '/Accounts/ledger-2025.csv';
  await mabs('find', 'ledger-*.csv', '--vm', names[0]!);
  let files = 0;
  for (const [index, name] of names.entries()) {
    const target = join(folder, 'files', String(index));
    await mabs('recover', `${name}@latest:/disk0/p1${file}`, '--to', `folder:${target}`);
    files += await compare(`${name} ${file}`, await sourceFileHash(name, file), await sha256(join(target, 'ledger-2025.csv')));
  }

  title('Two days of work in the guests, a recovery point after each: only changed blocks are read');
  for (const seed of ['1', '2']) {
    for (const name of names) await mabs('lab', 'write', name, '--random', seed, '--count', '40', '--max-length', '64KiB');
    await point(expected);
  }
  await mabs('point', 'list');

  title('Proof: the source compared with the pool, and every stored block read back');
  await mabs('consistency-check', '--all');
  await mabs('pool', 'check', 'main');

  title('Every point restored whole, as VHDX and as raw, and compared with the source of its day');
  const points = await json<{ id: string; vm: string; disks: unknown[] }[]>('point', 'list');
  let compared = 0;
  for (const { id } of points) {
    const target = join(folder, 'restored', id);
    const report = await json<{ disks: { path: string }[] }>('recover', id, '--to', `folder:${target}`, '--format', 'raw');
    for (const [index, disk] of report.disks.entries())
      compared += await compare(`${id} disk${index}`, expected.get(id)![index]!, await sha256(disk.path));
  }

  title('One VM brought back to its host, on its newest point, after its disks were overwritten');
  const victim = names[0]!;
  await mabs('lab', 'write', victim, '--random', '3', '--count', '200', '--max-length', '256KiB');
  await mabs('recover', `${victim}@latest`, '--to', 'original', '--yes');
  const latest = points.filter((entry) => entry.vm === victim).at(-1)!;
  for (const [index, hash] of (await sourceHashes(victim)).entries())
    compared += await compare(`${victim} disk${index}`, expected.get(latest.id)![index]!, hash);
  await mabs('status');

  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`\n${chalk.green('✔')} ${compared} disks and ${files} files restored, SHA-256 equal to their source, in ${seconds} s`);
}

/** Makes a recovery point of every VM and remembers what the source's disks were. */
async function point(expected: Map<string, string[]>): Promise<void> {
  const report = await json<{ members: { vm: string; pointId: string }[] }>('checkpoint', '--all');
  for (const member of report.members) expected.set(member.pointId, await sourceHashes(member.vm));
}

async function sourceHashes(vm: string): Promise<string[]> {
  const hashes: string[] = [];
  for (const [index, path] of (await sourceDisks(vm)).entries()) {
    const raw = join(folder, `source-${index}.raw`);
    await run(['disk', 'export', path, raw, '--format', 'raw', '--overwrite'], true);
    hashes.push(await sha256(raw));
    await rm(raw);
  }
  return hashes;
}

async function sourceFileHash(vm: string, file: string): Promise<string> {
  const [disk] = await sourceDisks(vm);
  const words = [MABS, 'disk', 'cat', `${disk}:/p1${file}`];
  const { stdout } = await execa(process.execPath, words, { encoding: 'buffer', stripFinalNewline: false });
  return createHash('sha256').update(stdout).digest('hex');
}

async function sourceDisks(vm: string): Promise<string[]> {
  const vms = await json<{ host: string; name: string; disks: { path: string }[] }[]>('vm', 'list', { quiet: true });
  return vms.find(({ host, name }) => `${host}/${name}` === vm)!.disks.map(({ path }) => path);
}

async function compare(what: string, expected: string, actual: string): Promise<1> {
  if (expected !== actual) throw new Error(`${what} differs: source ${expected}, restored ${actual}`);
  console.log(`${chalk.green('✔')} ${what} ${actual.slice(0, 16)}… equal`);
  return 1;
}

function title(text: string): void {
  console.log(`\n${chalk.bold(text)}`);
}

async function mabs(...args: string[]): Promise<void> {
  const output = await run(args);
  if (output) console.log(output.replaceAll(folder, '.'));
}

async function json<T>(...args: (string | { quiet: true })[]): Promise<T> {
  const words = args.filter((arg) => typeof arg === 'string');
  return JSON.parse(await run([...words, '--json'], words.length < args.length)) as T;
}

async function run(args: string[], quiet = false): Promise<string> {
  if (!quiet) console.log(chalk.dim(`$ mabs ${args.map((arg) => arg.replace(folder, '.')).join(' ')}`));
  const { stdout } = await execa(process.execPath, [MABS, ...args], { env: environment, stderr: 'inherit' });
  return stdout;
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
