/**
 * Lets system calls of the program fail, with strace: `npm run campaign:faults -- [--seed 1] [--most 12]`, at most so many moments for each
 * command, call and error. A command whose call failed never says that all went well without what it was to do; a full
 * volume ends it with 6; the next run works by itself, no point is lost and none is wrong.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { KnownPoints, type ListedPoint } from './campaign/known-points.ts';
import { LabVms } from './campaign/lab-vms.ts';
import { mabsOver } from './campaign/mabs.ts';
import { seededRandom } from './campaign/seeded-random.ts';

const { values } = parseArgs({ options: { seed: { type: 'string', default: '1' }, most: { type: 'string', default: '12' } } });
const CALLS = ['pwrite64', 'fdatasync', 'fsync', 'link', 'unlink', 'ftruncate', 'rename'];
const random = seededRandom(Number(values.seed));
const folder = await mkdtemp(join(tmpdir(), 'mabs-faults-'));
const known = new KnownPoints(folder);
const vms = await LabVms.make(join(folder, 'lab'), random);
const mabs = mabsOver(join(folder, 'home'));
const VM = 'web';
const codes = new Map<string, number>();
const odd: string[] = [];
let cases = 0;
let points: ListedPoint[] = [];

try {
  await prepare();
  for (const command of ['sync', 'checkpoint', 'recover', 'prune'])
    for (const call of CALLS) for (const error of ['EIO', 'ENOSPC']) await failEach(command, call, error);
  for (const point of points) await known.verify(mabs, point);
  const check = await mabs.json<{ status: string }>('pool', 'check', 'main');
  if (check.status !== 'ok') throw new Error(`pool check: ${JSON.stringify(check)}`);
  await rm(folder, { recursive: true });
} catch (error) {
  odd.push(error instanceof Error ? error.stack! : String(error));
  console.log(`kept for inspection: ${folder}`);
}
for (const [key, count] of [...codes].sort()) console.log(`${key}: ${count}`);
for (const line of odd) console.log(`FAILED ${line}`);
console.log(`${cases} failed calls, ${known.restored} restores equal`);
console.log(`${cases - odd.length} passed, ${odd.length} failed`);
process.exitCode = odd.length > 0 ? 1 : 0;

async function prepare(): Promise<void> {
  await mabs.run('init');
  await mabs.run('host', 'add', 'hv', '--type', 'lab', '--path', vms.folder);
  await mabs.run('pool', 'add', 'main', '--path', join(folder, 'pool'), '--block-size', '64KiB');
  await mabs.run('protect', '--group', 'all', '--member', `hv/${VM}`, '--yes');
  await mabs.run('checkpoint', '--all');
  points = await known.learn(mabs, () => [vms.hashes(VM)]);
}

/** One call after the other fails, until the command makes no more of them (by its threads, since strace counts for each). */
async function failEach(command: string, call: string, error: string): Promise<void> {
  let moment = 1;
  for (let tries = 0; tries < Number(values.most); tries += 1) {
    if (!(await failOnce(command, call, error, moment))) return;
    moment += 1 + random.below(3);
  }
}

async function failOnce(command: string, call: string, error: string, moment: number): Promise<boolean> {
  await vms.write(VM);
  const target = join(folder, 'target');
  const words = {
    sync: ['sync', `hv/${VM}`],
    checkpoint: ['checkpoint', `hv/${VM}`],
    recover: ['recover', points[0]!.id, '--to', `folder:${target}`, '--format', 'vhdx'],
    prune: ['pool', 'prune', 'main', '--empty-trash', '--yes'],
  }[command]!;
  if (command === 'prune' && points.length > 3) {
    known.removing(points[1]!.id);
    await mabs.run('point', 'remove', points[1]!.id, '--yes');
  }
  const trace = join(folder, 'trace');
  const { exitCode, signal, stdout, stderr } = await mabs.start(words, [
    ...['strace', '-f', '-qq', '-o', trace, '-e', `trace=${call}`, '-e', `inject=${call}:error=${error}:when=${moment}`],
  ]).ended;
  const wasHit = (await readFile(trace, 'utf8')).includes('(INJECTED)');
  await rm(target, { recursive: true, force: true });
  const what = `${command}, ${call} number ${moment} with ${error}`;
  if (signal) odd.push(`${what}: ended by ${signal}`);
  if (wasHit) {
    cases += 1;
    const key = `${command} ${error} ended with ${exitCode}`;
    codes.set(key, (codes.get(key) ?? 0) + 1);
    if (exitCode === 1 && !/MABS-/.test(stdout + stderr)) odd.push(`${what}: an error without a code: ${stderr.slice(0, 300)}`);
    if (exitCode !== 0 && exitCode !== 6 && error === 'ENOSPC') console.log(`${what}: ${exitCode} ${(stderr + stdout).slice(0, 400)}`);
  }
  await expectNothingLost(command, exitCode === 0, what);
  return wasHit;
}

async function expectNothingLost(command: string, claimed: boolean, what: string): Promise<void> {
  const before = new Set(points.map(({ id }) => id));
  await mabs.run('sync', `hv/${VM}`);
  await vms.verify(VM);
  const left = await vms.leftOver();
  if (left.length > 0) odd.push(`${what}: left on the host: ${left.join(', ')}`);
  points = await known.learn(mabs, () => [vms.hashes(VM)]);
  const isNew = points.some(({ id }) => !before.has(id));
  if (command === 'checkpoint' && claimed && !isNew) odd.push(`${what}: it said that all went well, and there is no point`);
}
