/**
 * Proves restores of real size with independent tools: `npm run prove:restores -- [--files DIR] [--size 1GiB] [--keep]`. mke2fs and
 * mkntfs put files of this machine on two disks, qemu-img makes dynamic VHDX files of them, and on three days other files come and
 * sectors change. Each day both disks are backed up twice: into one pool by change tracking, which this script writes as the contract
 * of the lab says, into another without any. Then every point is restored and compared with what qemu-img read that day.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { parseSize } from '../src/lib/sizes.ts';
import { hashFile } from './images/hash-file.ts';
import { differingRanges, roundedBytes } from './restores/differing-ranges.ts';
import { type ProofDisk, proofDisks } from './restores/proof-disks.ts';
import { createLab, type ProofLab } from './restores/proof-lab.ts';
import { takeFiles } from './restores/take-files.ts';

interface Member {
  readonly vm: string;
  readonly status: string;
  readonly tracking: string;
  readonly bytesScanned: number;
  readonly bytesChanged: number;
  readonly pointId: string;
}

const MABS = fileURLToPath(new URL('../bin/mabs.js', import.meta.url));
const BLOCK_SIZE = 256 * 1024;
const DAYS = 4;
const { values } = parseArgs({
  options: {
    files: { type: 'string', default: process.platform === 'win32' ? 'C:\\Windows\\System32' : '/usr/lib' },
    size: { type: 'string', default: '1GiB' },
    keep: { type: 'boolean' },
  },
});

const folder = await mkdtemp(join(tmpdir(), 'mabs-restores-'));
let passed = 0;
let failed = 0;
try {
  await prove(parseSize(values.size));
} finally {
  if (values.keep) console.log(`kept: ${folder}`);
  else await rm(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

async function prove(size: number): Promise<void> {
  const files = await takeFiles(values.files, Math.floor(size * 0.3));
  console.log(`${files.length} files, ${Math.round(files.reduce((sum, file) => sum + file.size, 0) / 2 ** 20)} MiB`);
  const disks = proofDisks(folder, size, files);
  const labs = { rct: await createLab(folder, 'tracked', disks), scan: await createLab(folder, 'scanned', disks) };
  for (const [kind, lab] of Object.entries(labs)) await protect(lab, kind);
  const truth = new Map<string, string>();
  for (let day = 0; day < DAYS; day += 1) await oneDay(day, disks, labs, truth);
  for (const lab of Object.values(labs)) await restoreAll(lab, truth);
}

async function protect(lab: ProofLab, kind: string): Promise<void> {
  await mabs(lab, 'init');
  await mabs(lab, 'host', 'add', 'hv', '--type', 'lab', '--path', lab.path);
  await mabs(lab, 'pool', 'add', 'pool', '--path', join(folder, `pool-${kind}`));
  await mabs(lab, 'protect', '--group', 'all', '--member', 'hv/ext4', '--member', 'hv/ntfs', '--yes');
}

/** Changes both disks, backs them up both ways and holds what was read and stored against what changed. */
async function oneDay(day: number, disks: readonly ProofDisk[], labs: { rct: ProofLab; scan: ProofLab }, truth: Map<string, string>) {
  const limits = new Map<string, number>();
  for (const disk of disks) {
    await disk.beginDay(day);
    const ranges = day === 0 ? [] : await differingRanges(disk.rawBefore, disk.raw);
    limits.set(`hv/${disk.name}`, roundedBytes(ranges, BLOCK_SIZE));
    for (const lab of Object.values(labs)) await lab.replaceDisk(disk, day, lab === labs.rct ? ranges : undefined);
  }
  const tracked = await checkpoint(labs.rct);
  const scanned = await checkpoint(labs.scan);
  for (const disk of disks) {
    const vm = `hv/${disk.name}`;
    const digest = await qemuDigest(labs.rct.diskPath(disk));
    const [byTracking, byScan] = [tracked.find((member) => member.vm === vm)!, scanned.find((member) => member.vm === vm)!];
    truth.set(byTracking.pointId, digest).set(byScan.pointId, digest);
    const roots = [await rootOf(labs.rct, byTracking.pointId), await rootOf(labs.scan, byScan.pointId)];
    expect(`day ${day} ${vm}: both ways end at the same disk map`, roots[0] === roots[1], roots.join(' and '));
    if (day === 0) continue;
    expect(`day ${day} ${vm}: tracked and scanned`, `${byTracking.tracking} ${byScan.tracking}` === 'rct scan', byTracking.tracking);
    const told = `scanned ${byTracking.bytesScanned}, changed ranges in whole blocks ${limits.get(vm)}`;
    expect(`day ${day} ${vm}: reads no more than what changed (${told})`, byTracking.bytesScanned <= limits.get(vm)!, told);
    const changed = `${byTracking.bytesChanged} and ${byScan.bytesChanged} bytes`;
    expect(`day ${day} ${vm}: the scan finds the same blocks (${changed})`, byTracking.bytesChanged === byScan.bytesChanged, changed);
  }
}

async function checkpoint(lab: ProofLab): Promise<Member[]> {
  const { members } = JSON.parse(await mabs(lab, 'checkpoint', '--all', '--json')) as { members: Member[] };
  for (const { vm, status } of members) if (status !== 'ok') throw new Error(`${vm}: ${status}`);
  return members;
}

async function rootOf(lab: ProofLab, point: string): Promise<string> {
  const shown = JSON.parse(await mabs(lab, 'point', 'show', point, '--json')) as { disks: { root: string }[] };
  return shown.disks[0]!.root;
}

/** Restores every point of a lab's home as raw and compares it with what qemu-img read on its day. */
async function restoreAll(lab: ProofLab, truth: ReadonlyMap<string, string>): Promise<void> {
  const points = JSON.parse(await mabs(lab, 'point', 'list', '--json')) as { id: string; vm: string }[];
  expect(`${lab.name}: every point is listed`, points.length === truth.size / 2, `${points.length} points`);
  for (const { id, vm } of points) {
    const target = join(folder, 'restored');
    const words = ['recover', id, '--to', `folder:${target}`, '--format', 'raw', '--json'];
    const report = JSON.parse(await mabs(lab, ...words)) as { disks: { path: string }[] };
    const digest = await hashFile(report.disks[0]!.path);
    expect(`${lab.name}: ${vm}@${id} restores to ${digest.slice(0, 16)}…, as qemu-img read it`, digest === truth.get(id), digest);
    await rm(target, { recursive: true });
  }
}

async function qemuDigest(image: string): Promise<string> {
  const raw = join(folder, 'qemu');
  await mkdir(raw, { recursive: true });
  await execa('qemu-img', ['convert', '-f', 'vhdx', '-O', 'raw', image, join(raw, 'day.raw')]);
  const digest = await hashFile(join(raw, 'day.raw'));
  await rm(raw, { recursive: true });
  return digest;
}

async function mabs(lab: ProofLab, ...words: string[]): Promise<string> {
  const { stdout } = await execa(process.execPath, [MABS, ...words, '--progress', 'none'], { env: { MABS_HOME: lab.home } });
  return stdout;
}

function expect(what: string, holds: boolean, found: string): void {
  if (holds) passed += 1;
  else failed += 1;
  console.log(holds ? `passed  ${what}` : `FAILED  ${what}: ${found}`);
}
