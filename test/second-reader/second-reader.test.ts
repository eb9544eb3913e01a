import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { checkpoint } from '../../src/core/checkpoint.ts';
import { applyRemovePoint, planRemovePoint } from '../../src/core/hold-point.ts';
import { addHost } from '../../src/core/hosts.ts';
import { addPool } from '../../src/core/pools.ts';
import { applyProtect, planProtect } from '../../src/core/protect.ts';
import { applyPrune, planPrune } from '../../src/core/prune.ts';
import { aHome, type TestHome } from '../builders/a-home.ts';
import { aJobHome, DISK_BYTES, type JobHome, makeDisk } from '../builders/job-home.ts';
import { PYTHON, PYTHON_MODULES } from '../builders/python.ts';

const READER = fileURLToPath(new URL('./read_pool.py', import.meta.url));
const hasModules = spawnSync(PYTHON, ['-c', PYTHON_MODULES]).status === 0;
const run = promisify(execFile);
const MiB = 2 ** 20;

/** A VM, the pool that keeps it, and what the reader needs to be told to read that pool. */
interface Subject {
  readonly vm: string;
  readonly pool: string;
  readonly words: readonly string[];
  readonly live: { readonly id: string; readonly disks: readonly Buffer[] }[];
}

let home: TestHome;
let lab: JobHome;
const subjects: Subject[] = [
  { vm: 'web', pool: 'main', words: [], live: [] },
  { vm: 'db', pool: 'vault', words: ['--passphrase-file'], live: [] },
];
const poolPath = (pool: string) => join(home.folder, pool);

(hasModules ? describe : describe.skip)('a reader written from docs/formats/pool.md alone', () => {
  beforeAll(async () => {
    home = await aHome();
    lab = await aJobHome([{ name: 'web' }, { name: 'db' }]);
    const secret = { file: join(home.folder, 'passphrase') };
    await writeFile(secret.file, 'Nicolás’ señal\n');
    await using ports = await home.ports({ secret });
    await addHost(ports, { name: 'hv1', type: 'lab', path: join(lab.folder, 'lab') });
    await addPool(ports, { name: 'main', path: poolPath('main'), encrypt: false, compression: 'normal', blockSize: 65_536 });
    const { recoveryKey } = await addPool(ports, { name: 'vault', path: poolPath('vault'), encrypt: true, compression: 'size', secret });
    await writeFile(join(home.folder, 'recovery-key'), `${recoveryKey!}\n`);
    for (const subject of subjects) await fill(ports, subject);
  });
  afterAll(async () => {
    await lab[Symbol.asyncDispose]();
    await home[Symbol.asyncDispose]();
  });

  it.each(subjects)('lists exactly what lives in $pool', async (subject) => {
    const lines = (await read(subject, 'list')).trim().split('\n');
    const points = lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind === 'point');
    expect(points).toMatchObject(
      subject.live.map(({ id, disks }) => ({
        id,
        vm: subject.vm,
        disks: disks.map(({ length }, index) => ({ index, virtualSize: length, leftOut: [] })),
      })),
    );
  });

  it.each(subjects)('restores every disk of $pool byte for byte', async (subject) => {
    for (const { id, disks } of subject.live) {
      const found = await Promise.all(disks.map((_, index) => restored(subject, id, index)));
      expect(found.map((content, index) => content.equals(disks[index]!))).toEqual(disks.map(() => true));
    }
  });

  it('opens a pool with its recovery key as with its passphrase, and not without', async () => {
    const [, vault] = subjects;
    const { id, disks } = vault!.live[0]!;
    const byKey = { ...vault!, words: ['--recovery-key-file'] };
    expect((await restored(byKey, id, 1)).equals(disks[1]!)).toBe(true);
    await expect(read({ ...vault!, words: [] }, 'list')).rejects.toThrow('encrypted');
  });

  it.each(subjects)('finds nothing amiss in $pool, and each flipped bit of a pack', async (subject) => {
    expect(JSON.parse(await read(subject, 'check'))).toMatchObject({
      problems: 0,
      manifests: expect.any(Number),
      entries: expect.any(Number),
    });
    const names = await readdir(join(poolPath(subject.pool), 'packs'), { recursive: true });
    const pack = join(poolPath(subject.pool), 'packs', names.find((name) => name.endsWith('.pack'))!);
    const whole = await readFile(pack);
    for (const at of [140, whole.length - 300, whole.length - 80]) {
      const flipped = Buffer.from(whole);
      flipped[at]! ^= 4;
      await writeFile(pack, flipped);
      await expect(read(subject, 'check')).rejects.toMatchObject({ code: 1 });
    }
    await writeFile(pack, whole);
  });
});

/** Four points with changes between them; the first is purged and swept, the second lies in the trash. */
async function fill(ports: Parameters<typeof planProtect>[0], { vm, pool, live }: Subject): Promise<void> {
  const { folder } = lab.vm(vm);
  await makeDisk(folder, 'large.vhdx', 'large', 33 * MiB + 4096);
  await makeDisk(folder, 'empty.vhdx', '');
  await lab.change(vm, ({ disks }) => {
    disks.push({ id: 'large', controller: 'scsi', path: 'large.vhdx' }, { id: 'empty', controller: 'scsi', path: 'empty.vhdx' });
  });
  await applyProtect(ports, await planProtect(ports, { group: pool, pool, members: [`hv1/${vm}`], policy: {} }));
  const point = async () => {
    const { report } = await checkpoint(ports, { group: pool });
    expect(report.members[0]).toMatchObject({ status: 'ok' });
    return report.members[0]!.pointId!;
  };
  await lab.write(vm, 0, 200_000, noise(2 * MiB));
  const purged = await point();
  await lab.write(vm, 0, 200_000, 'z'.repeat(2 * MiB));
  const trashed = await point();
  for (const offset of [100_000, DISK_BYTES - 50_000]) {
    await lab.write(vm, 0, offset, noise(50_000));
    const disks = [];
    for (const disk of [0, 1, 2]) disks.push(await lab.content(vm, disk));
    live.push({ id: await point(), disks });
  }
  await applyRemovePoint(ports, await planRemovePoint(ports, purged));
  await applyPrune(ports, await planPrune(ports, { pool, trashMs: 0, emptyTrash: true }));
  await applyRemovePoint(ports, await planRemovePoint(ports, trashed));
}

async function read({ pool, words }: Subject, ...command: string[]): Promise<string> {
  const secrets = words.flatMap((word) => [word, join(home.folder, word.slice(2, -'-file'.length))]);
  return (await run(PYTHON, [READER, ...secrets, poolPath(pool), ...command])).stdout;
}

async function restored(subject: Subject, id: string, disk: number): Promise<Buffer> {
  const out = join(home.folder, `${id}-${disk}-${subject.words[0] ?? ''}.raw`);
  await read(subject, 'restore', id, `${disk}`, out);
  return readFile(out);
}

const noise = (length: number) => randomBytes(length).toString('base64').slice(0, length);
