/**
 * Kills mabs with SIGKILL at random moments and looks whether anything was lost: `npm run campaign:kill -- [--runs 200] [--seed N]
 * [--keep]`. After each kill the next commands must work without repair or unlock, every point committed before must still be
 * listed, and a point that appeared must be whole. At the end every point is restored and compared with what its VM was, the
 * pool is checked, the catalog is deleted and the pool imported: the same points, holds and groups, the same restores.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const MABS = fileURLToPath(new URL('../bin/mabs.js', import.meta.url));
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    keep: { type: 'boolean' },
  },
});
const runs = Number(values.runs);
const random = mulberry32(Number(values.seed));
const folder = await mkdtemp(join(tmpdir(), 'mabs-kill-'));
const lab = join(folder, 'lab');
const pool = join(folder, 'pool');
let home = join(folder, 'home');

/** What each committed point must restore to: SHA-256 of each disk, by point id. */
const truth = new Map<string, readonly string[]>();
/** Points that were removed on purpose, by a prune or remove that may or may not have happened. */
const mayBeGone = new Set<string>();
/** What each VM's disks are now. */
const now = new Map<string, readonly string[]>();
const durations = new Map<string, number>();
const outcome = { killed: 0, endedBefore: 0, restored: 0 };

interface Point {
  readonly id: string;
  readonly vm: string;
  readonly held?: boolean;
}

console.log(`seed ${values.seed}, ${runs} runs`);
let failed = false;
try {
  const vms = await prepare();
  for (let run = 1; run <= runs; run += 1) {
    await oneRun(run, vms);
    if (run % 20 === 0)
      console.log(
        `${run} runs: ${outcome.killed} killed, ${outcome.endedBefore} ended before, ${truth.size} points, ${outcome.restored} restores equal`,
      );
  }
  await finish();
} catch (error) {
  failed = true;
  console.error(error instanceof Error ? error.message : error);
  console.error(`kept for inspection: ${folder}`);
}
if (!failed && !values.keep) await rm(folder, { recursive: true, force: true });
console.log(
  failed
    ? '0 passed, 1 failed'
    : `${runs} kills (seed ${values.seed}): 0 points lost, ${outcome.restored} restores equal\n1 passed, 0 failed`,
);
process.exitCode = failed ? 1 : 0;

async function prepare(): Promise<string[]> {
  await mabs('init');
  await mabs('lab', 'init', lab);
  await mabs('host', 'add', 'hv', '--type', 'lab', '--path', lab);
  await mabs('pool', 'add', 'main', '--path', pool);
  const vms = (await json<{ host: string; name: string }[]>('vm', 'list')).map((vm) => `${vm.host}/${vm.name}`);
  await mabs('protect', '--group', 'all', ...vms.flatMap((vm) => ['--member', vm]), '--yes');
  for (const vm of vms) now.set(vm, await hashes(vm));
  await mabs('checkpoint', '--all');
  await learnPoints();
  const [first] = await json<Point[]>('point', 'list');
  await mabs('point', 'hold', first!.id, '--reason', 'kept through the campaign');
  return vms;
}

async function oneRun(run: number, vms: readonly string[]): Promise<void> {
  const vm = pick(vms);
  if (random() < 0.6) {
    await mabs('lab', 'write', vm, '--random', String(run), '--count', String(1 + Math.floor(random() * 60)), '--max-length', '256KiB');
    await settle(vm);
    now.set(vm, await hashes(vm));
  }
  const points = await json<Point[]>('point', 'list');
  const command = pickCommand(vm, points, run);
  if (command.gone) for (const id of command.gone) mayBeGone.add(id);
  const before = durations.get(command.kind) ?? 1500;
  const { killed, milliseconds } = await killAt(command.words, random() * before * 1.1);
  if (killed) outcome.killed += 1;
  else {
    outcome.endedBefore += 1;
    durations.set(command.kind, before * 0.7 + milliseconds * 0.3);
  }
  if (command.replaces) await afterRecoveryToOriginal(vm, command.replaces);
  await settle(vm);
  await learnPoints();
  if (random() < 0.25) await restoreAndCompare(pick(await json<Point[]>('point', 'list')));
}

interface KillableCommand {
  readonly kind: string;
  readonly words: readonly string[];
  readonly gone?: readonly string[];
  /** The point that a recovery to original puts in the place of the VM's disks. */
  readonly replaces?: string;
}

function pickCommand(vm: string, points: readonly Point[], run: number): KillableCommand {
  const chance = random();
  if (chance < 0.25) return { kind: 'sync', words: ['sync', vm] };
  if (chance < 0.5) return { kind: 'checkpoint', words: ['checkpoint', vm] };
  if (chance < 0.6) return { kind: 'consistency-check', words: ['consistency-check', vm] };
  if (chance < 0.75) {
    const target = `folder:${join(folder, 'killed', String(run))}`;
    return { kind: 'recover', words: ['recover', pick(points).id, '--to', target, '--format', pick(['vhdx', 'raw', 'vhd'])] };
  }
  if (chance < 0.85) {
    const own = points.filter((point) => point.vm === vm);
    const id = pick(own).id;
    return { kind: 'original', words: ['recover', id, '--to', 'original', '--keep-old', '1m', '--yes'], replaces: id };
  }
  const removable = points.filter((point) => !point.held);
  if (chance < 0.9 && removable.length > 4) {
    const id = pick(removable).id;
    return { kind: 'remove', words: ['point', 'remove', id, '--yes'], gone: [id] };
  }
  return { kind: 'prune', words: ['pool', 'prune', 'main', '--empty-trash', '--yes'] };
}

/** Starts a command and kills it after some milliseconds, unless it ended before. */
function killAt(words: readonly string[], milliseconds: number): Promise<{ killed: boolean; milliseconds: number }> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(process.execPath, [MABS, '--home', home, ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), milliseconds);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (signal === 'SIGKILL') resolve({ killed: true, milliseconds });
      else if (code === 0) resolve({ killed: false, milliseconds: performance.now() - started });
      else reject(new Error(`mabs ${words.join(' ')} ended with ${code}: ${stderr}`));
    });
  });
}

/** The next sync must work by itself; after it the host is clean. */
async function settle(vm: string): Promise<void> {
  await mabs('sync', vm);
  const left = (await readdir(lab, { recursive: true })).filter((name) => /\.avhdx?$|\.orphan$/.test(name));
  if (left.length > 0) throw new Error(`left on the host after a sync: ${left.join(', ')}`);
}

/** After a recovery that was killed, the VM is either as it was or as the point says: nothing in between. */
async function afterRecoveryToOriginal(vm: string, pointId: string): Promise<void> {
  await settle(vm);
  const found = await hashes(vm);
  const old = now.get(vm)!;
  if (!equal(found, old) && !equal(found, truth.get(pointId)!))
    throw new Error(`${vm} is neither as before nor as ${pointId} after a killed recovery`);
  now.set(vm, found);
}

/** Every known point is still there; new ones are what their VM was. */
async function learnPoints(): Promise<void> {
  const points = await json<Point[]>('point', 'list');
  const listed = new Set(points.map((point) => point.id));
  for (const id of truth.keys()) {
    if (listed.has(id)) continue;
    if (!mayBeGone.has(id)) throw new Error(`point ${id} is lost`);
    truth.delete(id);
  }
  for (const point of points) if (!truth.has(point.id)) truth.set(point.id, now.get(point.vm)!);
}

async function restoreAndCompare(point: Point): Promise<void> {
  const target = join(folder, 'compare');
  const report = await json<{ disks: { path: string }[] }>('recover', point.id, '--to', `folder:${target}`, '--format', 'raw');
  const found = await Promise.all(report.disks.map((disk) => sha256(disk.path)));
  await rm(target, { recursive: true });
  if (!equal(found, truth.get(point.id)!)) throw new Error(`point ${point.id} of ${point.vm} restores wrong`);
  outcome.restored += 1;
}

async function finish(): Promise<void> {
  const points = await json<Point[]>('point', 'list');
  for (const point of points) await restoreAndCompare(point);
  const check = await json<{ status: string; damage: unknown[] }>('pool', 'check', 'main');
  if (check.status !== 'ok') throw new Error(`pool check: ${JSON.stringify(check.damage).slice(0, 500)}`);
  await importIntoFreshHome(points);
}

/** A catalog lost, in the same home and with the home itself: everything comes back from the pool. */
async function importIntoFreshHome(points: readonly Point[]): Promise<void> {
  const groups = await json<{ name: string }[]>('group', 'list');
  for (const name of await readdir(home)) if (name.startsWith('catalog')) await rm(join(home, name), { recursive: true });
  expectSamePoints(points, await json<Point[]>('point', 'list'), 'catalog deleted');
  home = join(folder, 'second-home');
  await mabs('init');
  await mabs('pool', 'import', '--path', pool, '--name', 'main');
  const imported = await json<Point[]>('point', 'list');
  expectSamePoints(points, imported, 'pool imported');
  const groupsNow = await json<{ name: string }[]>('group', 'list');
  if (groups.map((group) => group.name).join() !== groupsNow.map((group) => group.name).join())
    throw new Error('groups differ after pool import');
  for (const point of imported.slice(-5)) await restoreAndCompare(point);
}

function expectSamePoints(expected: readonly Point[], found: readonly Point[], when: string): void {
  const text = (points: readonly Point[]) =>
    points
      .map((point) => `${point.id} ${point.held}`)
      .sort()
      .join('\n');
  if (text(expected) !== text(found)) throw new Error(`${when}: points differ\n${text(expected)}\n--\n${text(found)}`);
}

/** SHA-256 of each disk of a VM as its guest sees it now. */
async function hashes(vm: string): Promise<readonly string[]> {
  const vms = await json<{ host: string; name: string; disks: { path: string }[] }[]>('vm', 'list');
  const found = vms.find((entry) => `${entry.host}/${entry.name}` === vm)!;
  const result: string[] = [];
  for (const disk of found.disks) {
    const raw = join(folder, 'source.raw');
    await mabs('disk', 'export', disk.path, raw, '--format', 'raw', '--overwrite');
    result.push(await sha256(raw));
  }
  return result;
}

async function json<T>(...words: string[]): Promise<T> {
  return JSON.parse(await mabs(...words, '--json')) as T;
}

function mabs(...words: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MABS, '--home', home, '--progress', 'none', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve(stdout) : reject(new Error(`mabs ${words.join(' ')} ended with ${code}: ${stderr}${stdout}`)),
    );
  });
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function equal(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

function pick<T>(from: readonly T[]): T {
  if (from.length === 0) throw new Error('nothing to pick from');
  return from[Math.floor(random() * from.length)]!;
}

/** A small generator with a seed, so that a run can be repeated. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
