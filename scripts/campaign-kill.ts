/**
 * Kills mabs with SIGKILL at random moments and looks whether anything was lost:
 * `npm run campaign:kill -- [--runs 200] [--seed N] [--encrypt] [--keep]`. Guests write while jobs run and are killed. After each
 * kill the next commands must work without repair or unlock, the host must be clean and the guest's disks as it wrote them, every
 * point must still be listed, a new one must be a state that the VM had, and one of them is restored and compared. At the
 * end every point is restored, the pool checked, the catalog deleted and the pool imported: the same points, holds and groups, the same restores.
 */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type KillableCommand, pickCommand, removable } from './campaign/killable-commands.ts';
import { Killer } from './campaign/killer.ts';
import { describePoints, KnownPoints, type ListedPoint } from './campaign/known-points.ts';
import { type DiskHashes, LabVms } from './campaign/lab-vms.ts';
import { mabsOver } from './campaign/mabs.ts';
import { seededRandom } from './campaign/seeded-random.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    encrypt: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});
const runs = Number(values.runs);
const random = seededRandom(Number(values.seed));
const folder = await mkdtemp(join(tmpdir(), 'mabs-kill-'));
const pool = join(folder, 'pool');
const passphrase = join(folder, 'passphrase');
const withKey = values.encrypt ? ['--passphrase-file', passphrase] : [];
const killer = new Killer(random);
const known = new KnownPoints(folder);
const vms = await LabVms.make(join(folder, 'lab'), random);
let homes = 0;
let mabs = nextHome();
/** What the replica of each VM is, as of the last sync that was left alone. */
const replicas = new Map<string, DiskHashes>();
let points: ListedPoint[] = [];
const kills = new Map<string, number>();

console.log(`seed ${values.seed}, ${runs} kills${values.encrypt ? ', encrypted pool' : ''}`);
const started = performance.now();
let failed = false;
try {
  await prepare();
  for (let run = 1; killer.tally.killed < runs; run += 1) {
    if (run > runs * 3 + 50) throw new Error('too few commands could be killed');
    await oneRun(run);
    if (run % 20 === 0) console.log(progress());
  }
  await finish();
} catch (error) {
  failed = true;
  console.error(error instanceof Error ? error.stack : error);
  console.error(`kept for inspection: ${folder}`);
}
if (!failed && !values.keep) await rm(folder, { recursive: true, force: true });
console.log(progress());
console.log([...kills].map(([kind, count]) => `${kind} ${count}`).join(', '));
console.log(failed ? '0 passed, 1 failed' : '1 passed, 0 failed: no point lost, none wrong');
process.exitCode = failed ? 1 : 0;

function progress(): string {
  const { killed, whileWorking, ended } = killer.tally;
  const seconds = Math.round((performance.now() - started) / 1000);
  return `${killed} kills (${whileWorking} while files were changed), ${ended} ended before, ${known.count} points, ${known.restored} restores equal, ${seconds} s`;
}

function nextHome() {
  homes += 1;
  return mabsOver(join(folder, `home-${homes}`));
}

async function prepare(): Promise<void> {
  await writeFile(passphrase, 'a passphrase for the campaign\n');
  await mabs.run('init');
  await mabs.run('host', 'add', 'hv', '--type', 'lab', '--path', vms.folder);
  await mabs.run('pool', 'add', 'main', '--path', pool, '--block-size', '64KiB', ...(values.encrypt ? ['--encrypt', ...withKey] : []));
  await mabs.run('protect', '--group', 'all', ...vms.names.flatMap((vm) => ['--member', `hv/${vm}`]), '--yes');
  await mabs.run('checkpoint', '--all');
  for (const name of vms.names) replicas.set(`hv/${name}`, vms.hashes(name));
  points = await known.learn(mabs, (vm) => [replicas.get(vm)!]);
  await mabs.run('point', 'hold', points[0]!.id, '--reason', 'kept through the campaign');
}

async function oneRun(run: number): Promise<void> {
  const name = random.pick(vms.names);
  const vm = `hv/${name}`;
  if (random.next() < 0.15) await vms.changeState();
  if (random.next() < 0.7) await vms.write(name);
  const command = pickCommand({ vm, points, folder, pool, run, withKey }, random);
  if (command.needsGarbage) await makeGarbage();
  if (command.removes) known.removing(command.removes);
  const before = mabs;
  if (command.movesHome) await beginHome();
  // A guest that was paused or frozen for the capture runs on afterwards, whatever happened.
  const state = await vms.state(name);
  const states = await killWhileWriting(command, name);
  await settle(command, name, before.home);
  await expectState(command, name, state);
  points = await known.learn(mabs, (each) => (each === vm ? states : []));
  if (random.next() < 0.75) await known.verify(mabs, random.pick(points));
  if (run % 8 === 0) await checkPool();
  if (run % 25 === 0) await loseCatalog();
}

async function expectState(command: KillableCommand, name: string, state: string): Promise<void> {
  const found = await vms.state(name);
  if (found === state) return;
  // A recovered VM is switched off until somebody starts it.
  if (command.kind !== 'recover original' || found !== 'off') throw new Error(`hv/${name} was ${state} and is ${found}`);
  await vms.start(name);
}

/** Runs the command and kills it; answers the states that a point made by it may have. */
async function killWhileWriting(command: KillableCommand, name: string): Promise<DiskHashes[]> {
  const vm = `hv/${name}`;
  const states = [command.freezesReplica ? replicas.get(vm)! : vms.hashes(name)];
  const ending = killer.run(mabs, command.kind, command.words, [pool, vms.folder, join(folder, 'targets')]);
  let over = false;
  const noticed = ending.finally(() => {
    over = true;
  });
  noticed.catch(() => {});
  const writes = command.writesMeanwhile && random.next() < 0.5 ? 1 + random.below(3) : 0;
  for (let write = 0; write < writes && !over; write += 1) {
    await sleep(random.next() * 300);
    await vms.write(name);
    states.push(vms.hashes(name));
  }
  const { killed } = await noticed;
  if (killed) kills.set(command.kind, (kills.get(command.kind) ?? 0) + 1);
  return states;
}

/** The next commands work by themselves; then the host is clean, and the guest sees what it wrote. */
async function settle(command: KillableCommand, name: string, homeBefore: string): Promise<void> {
  const vm = `hv/${name}`;
  if (command.movesHome) await takeOver(homeBefore);
  await mabs.run('sync', vm);
  if (command.kind === 'recover original') await vms.acceptRecovery(command.brings!.vm.slice(3), known.hashes(command.brings!.id));
  else if (command.brings) await vms.takeNewVms(known.hashes(command.brings.id));
  for (const each of vms.names) await vms.verify(each);
  const left = await vms.leftOver();
  if (left.length > 0) throw new Error(`left on the host after a sync: ${left.join(', ')}`);
  replicas.set(vm, vms.hashes(name));
  await rm(join(folder, 'targets'), { recursive: true, force: true });
}

/** Two points go and much of a disk is overwritten, so that packs have dead blocks and some are dead altogether. */
async function makeGarbage(): Promise<void> {
  for (let removed = 0; removed < 2 && points.length > 9; removed += 1) {
    const [point] = removable(points);
    if (!point) return;
    known.removing(point.id);
    await mabs.run('point', 'remove', point.id, '--yes');
    points = points.filter(({ id }) => id !== point.id);
  }
}

/** Another home, which is to take the pool over. */
async function beginHome(): Promise<void> {
  mabs = nextHome();
  await mabs.run('init');
  await mabs.run('host', 'add', 'hv', '--type', 'lab', '--path', vms.folder);
}

/** What an import that was killed did not do, another does; the former home is fenced off. */
async function takeOver(formerHome: string): Promise<void> {
  await mabs.run('pool', 'import', '--path', pool, '--name', 'main', ...withKey);
  const { exitCode, stdout, stderr } = await mabsOver(formerHome).start(['sync', '--all']).ended;
  if (exitCode === 0) throw new Error('a home that no longer owns the pool wrote to it');
  if (!(stdout + stderr).includes('MABS-POOL-FENCED')) throw new Error(`the former home ended with ${exitCode}: ${stderr}${stdout}`);
  await mabs.run('group', 'confirm', '--all');
  await rm(formerHome, { recursive: true });
}

async function checkPool(): Promise<void> {
  const check = await mabs.json<{ status: string; damage: unknown[] }>('pool', 'check', 'main');
  if (check.status !== 'ok') throw new Error(`pool check: ${JSON.stringify(check.damage).slice(0, 1000)}`);
}

/** The catalog is only a cache: without it the same points come back by themselves. */
async function loseCatalog(): Promise<void> {
  for (const name of await readdir(mabs.home)) if (name.startsWith('catalog')) await rm(join(mabs.home, name), { recursive: true });
  expectSame(describePoints(points), describePoints(await mabs.json<ListedPoint[]>('point', 'list')), 'the catalog was deleted');
}

async function finish(): Promise<void> {
  await mabs.run('sync', '--all');
  for (const point of points) await known.verify(mabs, point);
  await checkPool();
  await mabs.run('pool', 'prune', 'main', '--empty-trash', '--yes');
  await checkPool();
  points = await mabs.json<ListedPoint[]>('point', 'list');
  await loseCatalog();
  const groups = await mabs.run('group', 'list', '--json');
  await beginHome();
  await mkdir(mabs.home, { recursive: true });
  await mabs.run('pool', 'import', '--path', pool, '--name', 'main', ...withKey);
  const imported = await known.learn(mabs, () => []);
  expectSame(describePoints(points), describePoints(imported), 'the pool was imported');
  expectSame(groups, await mabs.run('group', 'list', '--json'), 'the pool was imported');
  for (const point of imported.slice(-8)) await known.verify(mabs, point);
  await checkPool();
}

function expectSame(before: string, after: string, when: string): void {
  if (before !== after) throw new Error(`not the same after ${when}:\n${before}\n--\n${after}`);
}
