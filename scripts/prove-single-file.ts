/**
 * Proves that one file comes out of a large point quickly: npm run prove:single-file -- [--size 100GiB] [--keep]. A dynamic VHDX with
 * an ext4 and an NTFS partition on it, sparse, files all over them, one folder of 10,000; backed up in a lab. Then, as a user runs it:
 * a file of 10 MiB is recovered, and the folder listed. strace counts what was read of the pool. Needs root (mounts), qemu-img, strace.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseSize } from '../src/lib/sizes.ts';
import { digestOf } from './filesystems/true-files.ts';

const { values } = parseArgs({ options: { size: { type: 'string', default: '100GiB' }, keep: { type: 'boolean', default: false } } });
const MABS = fileURLToPath(new URL('../bin/mabs.js', import.meta.url));
const MIB = 1024 * 1024;
const MOST_READ = 40 * MIB;
const MOST_RECOVER_MS = 2000;
const MOST_LIST_MS = 1000;
const NAMES = 10_000;

const folder = mkdtempSync(join(tmpdir(), 'mabs-single-'));
const env = { ...process.env, MABS_HOME: join(folder, 'home'), PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
let failed = 0;
try {
  prove(parseSize(values.size));
} finally {
  if (values.keep) console.log(`kept: ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed > 0 ? 1 : 0;

function prove(size: number): void {
  const half = Math.floor(size / 2 / MIB) * MIB - MIB;
  const disk = join(folder, 'disk.raw');
  writeFileSync(disk, '');
  truncateSync(disk, size);
  const parts = [MIB, MIB + half];
  const table = parts.map((start) => `start=${start / 512}, size=${(half - MIB) / 512}, type=83`).join('\n');
  execFileSync('sfdisk', ['-q', disk], { input: `label: gpt\n${table.replaceAll('type=83', 'type=linux')}\n`, env });
  const sums = [fill('ext4', disk, parts[0]!, half - MIB), fill('ntfs', disk, parts[1]!, half - MIB)];
  backUp(disk);
  for (const [index, sum] of sums.entries()) {
    const place = `lab/big@latest:/disk0/p${index + 1}`;
    const name = index === 0 ? 'ext4' : 'ntfs';
    const target = join(folder, `target-${name}`);
    const recovered = timed('recover', `${place}/data/wanted file.bin`, '--to', `folder:${target}`, '--json');
    const own = JSON.stringify(readdirSync(target, { recursive: true }));
    const found = readdirSync(target, { recursive: true, encoding: 'utf8' }).find((path) => path.endsWith('wanted file.bin'));
    judge(`${name}: the file is what it was`, found !== undefined && digestOf(join(target, found)) === sum, own);
    judge(`${name}: recovered in less than ${MOST_RECOVER_MS} ms`, recovered.ms < MOST_RECOVER_MS, `${recovered.ms} ms`);
    rmSync(target, { recursive: true });
    const read = poolBytesRead('recover', `${place}/data/wanted file.bin`, '--to', `folder:${target}`, '--json');
    judge(`${name}: less than ${MOST_READ / MIB} MiB read of the pool`, read < MOST_READ, `${(read / MIB).toFixed(1)} MiB`);
    const listed = timed('browse', `${place}/many`, '--json');
    judge(`${name}: ${NAMES} names listed`, (JSON.parse(listed.output) as unknown[]).length === NAMES, `${listed.output.length} bytes`);
    judge(`${name}: listed in less than ${MOST_LIST_MS} ms`, listed.ms < MOST_LIST_MS, `${listed.ms} ms`);
  }
}

/** Makes a file system on a part of the disk and puts files on it, ballast between them; answers the digest of the one that is wanted. */
function fill(kind: 'ext4' | 'ntfs', disk: string, offset: number, length: number): string {
  const loop = run('losetup', '-f', '--show', '-o', String(offset), '--sizelimit', String(length), disk).trim();
  const mounted = join(folder, `mounted-${kind}`);
  mkdirSync(mounted);
  try {
    if (kind === 'ext4') run('mke2fs', '-q', '-t', 'ext4', '-E', 'lazy_itable_init=1,nodiscard', loop);
    else run('mkntfs', '-q', '-Q', '-F', loop);
    if (kind === 'ext4') run('mount', loop, mounted);
    else run('ntfs-3g', loop, mounted);
    try {
      mkdirSync(join(mounted, 'many'));
      for (let index = 0; index < NAMES; index += 1)
        writeFileSync(join(mounted, 'many', `document number ${index}.txt`), `content ${index}`);
      mkdirSync(join(mounted, 'data'));
      for (let index = 0; index < 30; index += 1) {
        if (index === 15) writeFileSync(join(mounted, 'data', 'wanted file.bin'), randomBytes(10 * MIB));
        writeFileSync(join(mounted, 'data', `ballast ${index}`), randomBytes(8 * MIB));
      }
      return digestOf(join(mounted, 'data', 'wanted file.bin'));
    } finally {
      run('umount', mounted);
    }
  } finally {
    run('losetup', '-d', loop);
  }
}

function backUp(disk: string): void {
  const vm = join(folder, 'lab', 'big');
  mkdirSync(vm, { recursive: true });
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'vhdx', '-o', 'subformat=dynamic', disk, join(vm, 'disk0.vhdx'));
  rmSync(disk);
  const definition = {
    id: randomUUID(),
    name: 'big',
    generation: 2,
    state: 'off',
    os: 'linux',
    disks: [{ controller: 'scsi', path: 'disk0.vhdx' }],
  };
  writeFileSync(join(vm, 'vm.json'), JSON.stringify(definition));
  mabs('init');
  mabs('host', 'add', 'lab', '--type', 'lab', '--path', join(folder, 'lab'));
  mabs('pool', 'add', 'pool', '--path', join(folder, 'pool'));
  mabs('protect', '--group', 'all', '--member', 'lab/big', '--yes');
  mabs('checkpoint', '--all', '--verify', 'later', '--json');
}

function run(command: string, ...words: string[]): string {
  return execFileSync(command, words, { env, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', maxBuffer: 64 * MIB });
}

function mabs(...words: string[]): string {
  return run(process.execPath, MABS, ...words);
}

/** The start of the program included, as a user waits for it. */
function timed(...words: string[]): { output: string; ms: number } {
  const started = performance.now();
  const output = mabs(...words);
  return { output, ms: Math.round(performance.now() - started) };
}

/** Bytes that the program reads from files of the pool, over all its threads, as the kernel sees it. */
function poolBytesRead(...words: string[]): number {
  const trace = join(folder, 'trace');
  run('strace', '-f', '-y', '-q', '-e', 'trace=read,pread64,readv,preadv,preadv2', '-o', trace, process.execPath, MABS, ...words);
  let bytes = 0;
  for (const line of readFileSync(trace, 'utf8').split('\n')) {
    const answer = /= (\d+)$/.exec(line);
    if (answer && line.includes(`<${join(folder, 'pool')}/`)) bytes += Number(answer[1]);
  }
  return bytes;
}

function judge(what: string, good: boolean, seen: string): void {
  if (!good) failed += 1;
  console.log(`${good ? 'passed' : 'FAILED'}  ${what}: ${seen}`);
}
