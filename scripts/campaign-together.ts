/**
 * Many processes at work on one pool: `npm run campaign:together -- [--seconds 60] [--seed 1]`. Four VMs are written to and
 * checkpointed, points are removed and pruned, the pool is checked and points are restored, all at once, each in a loop of its own.
 * No command may fail, no check may find anything, and in the end every point restores to what its VM was.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { KnownPoints, type ListedPoint } from './campaign/known-points.ts';
import { type DiskHashes, LabVms } from './campaign/lab-vms.ts';
import { mabsOver } from './campaign/mabs.ts';
import { seededRandom } from './campaign/seeded-random.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string', default: '1' } } });
const folder = await mkdtemp(join(tmpdir(), 'mabs-together-'));
const random = seededRandom(Number(values.seed));
const vms = await LabVms.make(join(folder, 'lab'), random);
const mabs = mabsOver(join(folder, 'home'), ['--wait', '120s']);
const known = new KnownPoints(folder);
const done: Record<string, number> = {};
/** What each point must restore to, as its checkpoint said; those being removed are no longer here. */
const made = new Map<string, DiskHashes>();
const removed = new Set<string>();
let failed = false;

try {
  await prepare();
  const end = performance.now() + Number(values.seconds) * 1000;
  const loops = [...vms.names.map((name) => () => protectOnce(name)), pruneOnce, checkOnce, restoreOnce];
  await Promise.all(loops.map((once) => loop(once, end)));
  await finish();
} catch (error) {
  failed = true;
  console.error(error instanceof Error ? error.stack : error);
  console.error(`kept for inspection: ${folder}`);
}
if (!failed) await rm(folder, { recursive: true });
console.log(`${JSON.stringify(done)}, ${known.restored} restores equal at the end`);
console.log(failed ? '0 passed, 1 failed' : '1 passed, 0 failed');
process.exitCode = failed ? 1 : 0;

async function loop(once: () => Promise<string>, end: number): Promise<void> {
  while (performance.now() < end && !failed) {
    const what = await once().catch((error: unknown) => {
      failed = true;
      throw error;
    });
    done[what] = (done[what] ?? 0) + 1;
  }
}

async function prepare(): Promise<void> {
  await mabs.run('init');
  await mabs.run('host', 'add', 'hv', '--type', 'lab', '--path', vms.folder);
  await mabs.run('pool', 'add', 'main', '--path', join(folder, 'pool'), '--block-size', '64KiB');
  await mabs.run('protect', '--group', 'all', ...vms.names.flatMap((vm) => ['--member', `hv/${vm}`]), '--yes');
}

async function protectOnce(name: string): Promise<string> {
  await vms.write(name);
  if (random.next() < 0.3) {
    await mabs.run('sync', `hv/${name}`);
    return 'sync';
  }
  const { members } = await mabs.json<{ members: { pointId: string }[] }>('checkpoint', `hv/${name}`);
  made.set(members[0]!.pointId, vms.hashes(name));
  return 'checkpoint';
}

async function pruneOnce(): Promise<string> {
  for (const id of [...made.keys()].slice(0, Math.max(0, made.size - 8))) {
    made.delete(id);
    removed.add(id);
    await mabs.run('point', 'remove', id, '--yes');
  }
  await mabs.run('pool', 'prune', 'main', '--empty-trash', '--yes');
  return 'prune';
}

async function checkOnce(): Promise<string> {
  const { status, damage } = await mabs.json<{ status: string; damage: unknown }>('pool', 'check', 'main');
  if (status !== 'ok') throw new Error(`pool check: ${status} ${JSON.stringify(damage).slice(0, 1000)}`);
  return 'check';
}

async function restoreOnce(): Promise<string> {
  const ids = [...made.keys()];
  const id = ids.at(-1 - random.below(Math.min(3, ids.length)));
  if (id === undefined) {
    await mabs.run('point', 'list');
    return 'list';
  }
  const target = join(folder, 'meanwhile');
  await mabs.run('recover', id, '--to', `folder:${target}`, '--format', 'vhdx');
  await rm(target, { recursive: true });
  return 'restore';
}

async function finish(): Promise<void> {
  for (const name of vms.names) await vms.verify(name);
  const left = await vms.leftOver();
  if (left.length > 0) throw new Error(`left on the host: ${left.join(', ')}`);
  const points = await known.learn(mabs, () => [...made.values()]);
  const listed = new Set(points.map(({ id }: ListedPoint) => id));
  for (const id of made.keys()) if (!listed.has(id)) throw new Error(`point ${id} is lost`);
  for (const { id } of points) {
    if (removed.has(id)) throw new Error(`the removed point ${id} is back`);
    if (JSON.stringify(known.hashes(id)) !== JSON.stringify(made.get(id))) throw new Error(`point ${id} restores wrong`);
  }
  await pruneOnce();
  await checkOnce();
}
