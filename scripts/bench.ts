/**
 * mabs beside restic, borg and compressed qcow2 on one generated disk: `npm run bench -- [--size 2] [--keep]
 * [--work DIR]`, size in GiB. The tools run one after another, the file cache emptied before each step where that is allowed. What is
 * compared is ratios within one run; every restore is compared with its source by SHA-256. Writes nothing but its table.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeDisk } from './bench/disk.ts';
import { dropCaches, isInstalled, type Measured, measure, run } from './bench/measure.ts';

const MABS = [process.execPath, fileURLToPath(new URL('../bin/mabs.js', import.meta.url))];
const { values } = parseArgs({ options: { size: { type: 'string', default: '2' }, work: { type: 'string' }, keep: { type: 'boolean' } } });
const sizeBytes = Number(values.size) * 2 ** 30;
const folder = await mkdtemp(join(values.work ?? tmpdir(), 'mabs-bench-'));
const lab = join(folder, 'lab');
const vmFolder = join(lab, 'vm');
const vhdx = join(vmFolder, 'disk0.vhdx');
const day1 = join(folder, 'day1.raw');
const day2 = join(folder, 'day2.raw');

interface Row extends Omit<Measured, 'stdout'> {
  readonly tool: string;
  readonly step: string;
  readonly storedMiB?: number;
}
const rows: Row[] = [];

try {
  await prepare();
  await runMabs('mabs', []);
  await runMabs('mabs encrypted', ['--encrypt', '--passphrase-file', join(folder, 'secret')]);
  if (isInstalled('restic')) await runRestic();
  if (isInstalled('borg')) await runBorg();
  if (isInstalled('qemu-img')) await runQcow2();
  print();
} finally {
  if (values.keep) console.log(`kept: ${folder}`);
  else await rm(folder, { recursive: true, force: true });
}

/** The disk of day 1 and of day 2 (2.5 % overwritten in scattered pieces of up to 64 KiB), as VHDX with change tracking and as raw. */
async function prepare(): Promise<void> {
  await mkdir(vmFolder, { recursive: true });
  await writeFile(join(folder, 'secret'), 'a passphrase for the benchmark\n');
  await makeDisk(day1, sizeBytes, folder);
  await run([...MABS, 'disk', 'convert', day1, vhdx, '--format', 'vhdx']);
  await writeFile(join(vmFolder, 'vm.json'), JSON.stringify(vm()));
  await writeFile(`${vhdx}.rct.json`, JSON.stringify({ current: 'day-1', history: [] }));
  await rename(vhdx, `${vhdx}.day1`);
  await rename(`${vhdx}.rct.json`, `${vhdx}.rct.json.day1`);
  await useDay('day1');
  const count = String(Math.ceil((sizeBytes * 0.025) / (32 * 1024)));
  await run([...MABS, 'lab', 'write', vmFolder, '--random', '2', '--count', count, '--max-length', '64KiB']);
  await run([...MABS, 'disk', 'export', vhdx, day2]);
  await rename(vhdx, `${vhdx}.day2`);
  await rename(`${vhdx}.rct.json`, `${vhdx}.rct.json.day2`);
}

function vm(): unknown {
  return {
    id: '5f0e6c52-3c9e-4d0b-9a5e-0b7d3a4f1c11',
    name: 'bench',
    generation: 2,
    state: 'off',
    os: 'linux',
    integrationServices: { version: '10.0', vss: true },
    disks: [{ id: 'disk-0', controller: 'scsi', path: 'disk0.vhdx' }],
  };
}

async function useDay(day: 'day1' | 'day2'): Promise<void> {
  for (const path of [vhdx, `${vhdx}.rct.json`]) {
    await rm(path, { force: true });
    await run(['cp', '--sparse=always', `${path}.${day}`, path]);
  }
}

async function step(
  tool: string,
  name: string,
  command: readonly string[],
  environment: Record<string, string> = {},
  stored?: string,
): Promise<Measured> {
  const before = stored ? await folderBytes(stored) : 0;
  await dropCaches();
  const { stdout, ...taken } = await measure(command, environment);
  rows.push({ tool, step: name, ...taken, ...(stored ? { storedMiB: ((await folderBytes(stored)) - before) / 2 ** 20 } : {}) });
  console.error(`${tool}: ${name} ${taken.wallSeconds.toFixed(1)} s`);
  return { stdout, ...taken };
}

async function runMabs(tool: string, encryption: string[]): Promise<void> {
  await trackedDays(tool, encryption);
  await scannedDays(tool, encryption);
}

/** Both days with change tracking, then everything that is done with what is stored. */
async function trackedDays(tool: string, encryption: string[]): Promise<void> {
  const { work, mabs, environment, pool } = await mabsHome(tool, encryption);
  await step(tool, 'initial', mabs('sync', '--all', '--verify', 'later'), environment, pool);
  await step(tool, 'read-back', mabs('pool', 'check', 'pool', '--depth', 'new'), environment);
  await useDay('day2');
  await step(tool, 'incremental, tracked', mabs('sync', '--all'), environment, pool);
  await run(mabs('checkpoint', '--all', '--no-sync'), environment);
  await step(tool, 'consistency check', mabs('consistency-check', '--all'), environment);
  const target = join(work, 'restored');
  await step(tool, 'restore', mabs('recover', 'lab/bench@latest', '--to', `folder:${target}`, '--format', 'raw'), environment);
  await expectEqual(tool, join(target, 'disk0.raw'), day2);
  await step(tool, 'check', mabs('pool', 'check', 'pool'), environment);
  await rm(work, { recursive: true });
}

/** The second day without change tracking, as the other tools see it. */
async function scannedDays(tool: string, encryption: string[]): Promise<void> {
  const { work, mabs, environment, pool } = await mabsHome(tool, encryption);
  await run(mabs('sync', '--all'), environment);
  await useDay('day2');
  await rm(`${vhdx}.rct.json`);
  await step(tool, 'incremental, scan', mabs('sync', '--all'), environment, pool);
  await rm(work, { recursive: true });
}

async function mabsHome(tool: string, encryption: string[]) {
  const work = join(folder, tool.replace(' ', '-'));
  const environment = { MABS_HOME: join(work, 'home') };
  const pool = join(work, 'pool');
  const mabs = (...args: string[]) => [...MABS, ...args];
  await useDay('day1');
  await mkdir(work);
  await run(mabs('init'), environment);
  await run(mabs('host', 'add', 'lab', '--type', 'lab', '--path', lab), environment);
  await run(mabs('pool', 'add', 'pool', '--path', pool, ...encryption), environment);
  await run(mabs('protect', '--group', 'bench', '--member', 'lab/bench', '--yes'), environment);
  return { work, mabs, environment, pool };
}

async function runRestic(): Promise<void> {
  const work = join(folder, 'restic');
  const environment = {
    RESTIC_REPOSITORY: join(work, 'repository'),
    RESTIC_PASSWORD_FILE: join(folder, 'secret'),
    RESTIC_CACHE_DIR: join(work, 'cache'),
  };
  const stored = join(work, 'repository');
  await mkdir(work);
  await run(['restic', 'init', '--repository-version', '2'], environment);
  await backUpBoth('restic', () => ['restic', 'backup', '-q', join(work, 'disk.raw')], work, environment, stored);
  await step('restic', 'restore', ['restic', 'restore', 'latest', '-q', '--target', join(work, 'out')], environment);
  await expectEqual('restic', join(work, 'out', work, 'disk.raw'), day2);
  await step('restic', 'check', ['restic', 'check', '-q', '--read-data'], environment);
  await rm(work, { recursive: true });
}

async function runBorg(): Promise<void> {
  const work = join(folder, 'borg');
  const stored = join(work, 'repository');
  const environment = { BORG_BASE_DIR: work, BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes' };
  await mkdir(work);
  await run(['borg', 'init', '-e', 'none', stored], environment);
  let archive = 0;
  const create = () => [
    'borg',
    'create',
    '-C',
    'lz4',
    '--chunker-params',
    'fixed,262144',
    '--sparse',
    `${stored}::${++archive}`,
    join(work, 'disk.raw'),
  ];
  await backUpBoth('borg', create, work, environment, stored);
  const out = join(work, 'out');
  await mkdir(out);
  await step('borg', 'restore', ['sh', '-c', 'cd "$1" && exec borg extract --sparse "$2"', 'sh', out, `${stored}::2`], environment);
  await expectEqual('borg', join(out, work, 'disk.raw'), day2);
  await step('borg', 'check', ['borg', 'check', '--verify-data', stored], environment);
  await rm(work, { recursive: true });
}

async function backUpBoth(
  tool: string,
  command: () => string[],
  work: string,
  environment: Record<string, string>,
  stored: string,
): Promise<void> {
  const disk = join(work, 'disk.raw');
  await run(['cp', '--sparse=always', day1, disk]);
  await step(tool, 'initial', command(), environment, stored);
  await run(['cp', '--sparse=always', day2, disk]);
  await step(tool, 'incremental, scan', command(), environment, stored);
  await rm(disk);
}

/** One copy: `qemu-img convert` has no increment against a former copy that is stored, so only whole copies are compared. */
async function runQcow2(): Promise<void> {
  const work = join(folder, 'qcow2');
  await mkdir(work);
  const image = join(work, 'day2.qcow2');
  const command = ['qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', '-c', '-o', 'compression_type=zstd', day2, image];
  await step('qcow2', 'initial', command, {}, work);
  const out = join(work, 'out.raw');
  await step('qcow2', 'restore', ['qemu-img', 'convert', '-O', 'raw', image, out]);
  await expectEqual('qcow2', out, day2);
  await rm(work, { recursive: true });
}

async function expectEqual(tool: string, path: string, source: string): Promise<void> {
  if ((await sha256(path)) !== (await sha256(source))) throw new Error(`${tool}: the restored disk differs from its source`);
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function folderBytes(path: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) sum += (await stat(join(entry.parentPath, entry.name))).blocks * 512;
  }
  return sum;
}

function print(): void {
  const model = cpus()[0]?.model ?? 'unknown';
  console.log(
    `Disk of ${values.size} GiB, ext4, 2.5 % overwritten between the days; ${cpus().length} × ${model}; node ${process.version}\n`,
  );
  for (const name of new Set(rows.map((row) => row.step))) {
    const group = rows.filter((row) => row.step === name);
    const reference = group.find((row) => row.tool === 'mabs')!;
    console.log(`### ${name}\n`);
    console.log('| tool | wall s | × mabs | CPU s | peak MiB | stored MiB |\n|---|---|---|---|---|---|');
    for (const row of group) {
      const cells = [
        row.tool,
        row.wallSeconds.toFixed(2),
        (row.wallSeconds / reference.wallSeconds).toFixed(1),
        row.cpuSeconds?.toFixed(2) ?? '',
        row.peakMiB?.toFixed(0) ?? '',
        row.storedMiB?.toFixed(1) ?? '',
      ];
      console.log(`| ${cells.join(' | ')} |`);
    }
    console.log();
  }
}
