import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkConsistency } from '../../src/core/check-consistency.ts';
import { checkPool } from '../../src/core/check-pool.ts';
import { checkpoint } from '../../src/core/checkpoint.ts';
import { applyRemovePoint, planRemovePoint } from '../../src/core/hold-point.ts';
import { listPoints } from '../../src/core/points.ts';
import { applyProtect, planProtect } from '../../src/core/protect.ts';
import { applyPrune, planPrune } from '../../src/core/prune.ts';
import { recover } from '../../src/core/recover.ts';
import { sync } from '../../src/core/sync.ts';
import { diskFormats } from '../../src/disks/registry.ts';
import type { Pool } from '../../src/pool/pool.ts';
import { aRealHome, DISK_BYTES, type JobHome, makeDisk, moveDisk } from '../builders/job-home.ts';

let home: JobHome<Pool>;
beforeEach(async () => {
  home = await aRealHome([{ name: 'web', disks: 2 }]);
  await applyProtect(home.ports, await planProtect(home.ports, { group: 'servers', members: ['hv1/web'], policy: {} }));
});
afterEach(() => home[Symbol.asyncDispose]());

/** A recovery point, and what its disks must give. */
async function aPoint(): Promise<{ id: string; disks: Buffer[] }> {
  const { disks } = JSON.parse(await readFile(join(home.vm('web').folder, 'vm.json'), 'utf8')) as { disks: unknown[] };
  const content = [];
  for (const index of disks.keys()) content.push(await home.content('web', index));
  const { report } = await checkpoint(home.ports, { all: true });
  expect(report.members[0]).toMatchObject({ status: 'ok', verified: true });
  return { id: report.members[0]!.pointId!, disks: content };
}

async function expectEqual({ id, disks }: { id: string; disks: Buffer[] }): Promise<void> {
  const report = await recover(home.ports, { point: id, to: `folder:${join(home.folder, `out-${id}-${Math.random()}`)}`, format: 'raw' });
  expect(report.disks).toHaveLength(disks.length);
  for (const [index, { path }] of report.disks.entries()) expect((await readFile(path)).equals(disks[index]!)).toBe(true);
}

const noise = (length: number) => Array.from({ length }, () => Math.random().toString(36)[2]).join('');
const check = () => checkPool(home.ports, { pool: 'main', depth: 'all', resume: false });

describe('the jobs over a real lab and a real pool', () => {
  it('restore every point byte for byte, however the disks changed between them', async () => {
    const points = [await aPoint()];
    await home.write('web', 0, 100_000, noise(200_000));
    points.push(await aPoint());
    await makeDisk(home.vm('web').folder, 'disk2.vhdx', 'third', 3 * 2 ** 20);
    await home.change('web', ({ disks }) => disks.unshift({ id: 'd2', controller: 'scsi', path: 'disk2.vhdx' }));
    await moveDisk(home, 'web', 'disk1.vhdx', 'moved.vhdx');
    await home.change('web', ({ disks }) => {
      disks[2]!.path = 'moved.vhdx';
    });
    points.push(await aPoint());
    await home.change('web', ({ disks }) => disks.splice(1, 1));
    await makeDisk(home.vm('web').folder, 'disk2-new.vhdx', 'grown', 5 * 2 ** 20);
    await home.change('web', ({ disks }) => {
      disks[0]!.path = 'disk2-new.vhdx';
    });
    points.push(await aPoint());
    for (const point of points) await expectEqual(point);
    expect(await check()).toMatchObject({ status: 'ok', damage: [] });
  });

  it('find the same blocks with tracking and without', async () => {
    await aPoint();
    await home.write('web', 0, 65_536 * 3 + 10, noise(70_000));
    await home.faults('web', 'tracking-lost');
    const scanned = (await sync(home.ports, { all: true })).report.members[0]!;
    expect(scanned).toMatchObject({ tracking: 'scan', blocksDiffering: 2, bytesChanged: 131_072 });
    await home.faults('web');
    await home.write('web', 0, 65_536 * 3 + 10, noise(70_000));
    // The base has no tracking id now.
    expect((await sync(home.ports, { all: true })).report.members[0]).toMatchObject({ tracking: 'scan', blocksDiffering: 2 });
    await home.write('web', 0, 65_536 * 3 + 10, noise(70_000));
    const tracked = (await sync(home.ports, { all: true })).report.members[0]!;
    expect(tracked).toMatchObject({ tracking: 'rct', blocksDiffering: 2, bytesChanged: 131_072 });
    expect(tracked.bytesScanned).toBeLessThanOrEqual(131_072);
  });

  it('tell by a check what is proven, and write it down anew only after a day', async () => {
    await aPoint();
    const verified = async () => (await readdir(join(home.folder, 'pool', 'records', 'verified'), { recursive: true })).length;
    const before = await verified();
    expect((await check()).verified).toBe(2);
    expect(await verified()).toBe(before);
    home.now += 2 * 86_400_000;
    await check();
    expect(await verified()).toBeGreaterThan(before);
    const [point] = await listPoints(home.ports);
    expect(Date.parse(point!.verifiedAt!)).toBeGreaterThan(home.now - 60_000);
  });

  it('go on when a manifest of the pool is lost', async () => {
    await aPoint();
    await aPoint();
    const manifests = join(home.folder, 'pool', 'manifests');
    const [oldest] = (await readdir(manifests)).sort();
    await rm(join(manifests, oldest!));
    await home.write('web', 0, 5000, noise(100));
    await expectEqual(await aPoint());
    await expectEqual(await aPoint());
    expect(await check()).toMatchObject({ status: 'damaged' });
  });

  it('bring back from the source what the pool lost, and say so', async () => {
    await home.write('web', 0, 0, noise(150_000));
    const point = await aPoint();
    await flipABit();
    expect(await check()).toMatchObject({ status: 'damaged' });
    await expect(recover(home.ports, { point: point.id, to: `folder:${join(home.folder, 'x')}`, format: 'raw' })).rejects.toMatchObject({
      kind: 'damaged',
    });
    expect(await readdir(join(home.folder, 'x'))).toEqual([]);
    const { report } = await checkConsistency(home.ports, { all: true });
    expect(report.members[0]).toMatchObject({ status: 'ok', verified: true });
    expect(report.members[0]!.blocksMended).toBeGreaterThan(0);
    await expectEqual(point);
    expect((await check()).status).not.toBe('damaged');
  });

  it('mend a damaged replica in the next sync that stumbles over it', async () => {
    await home.write('web', 0, 0, noise(150_000));
    await aPoint();
    await flipABit(1);
    await home.write('web', 0, 2 * 2 ** 20, noise(10));
    const point = await aPoint().catch(() => undefined);
    await checkConsistency(home.ports, { all: true });
    expect((await check()).status).not.toBe('damaged');
    if (point) await expectEqual(point);
    await expectEqual(await aPoint());
  });

  it('give space back once points have left the trash, and harm no other point', async () => {
    const first = await aPoint();
    await home.write('web', 0, 0, noise(500_000));
    const second = await aPoint();
    await home.write('web', 0, 0, noise(500_000));
    const third = await aPoint();
    await applyRemovePoint(home.ports, await planRemovePoint(home.ports, second.id));
    const before = (await home.pool.usage()).storedBytes;
    const plan = await planPrune(home.ports, { trashMs: 0, emptyTrash: true });
    expect(plan.pools[0]!.sweep.bytesFreed).toBeGreaterThan(0);
    await applyPrune(home.ports, plan);
    const report = await applyPrune(home.ports, await planPrune(home.ports, { trashMs: 0, emptyTrash: true }));
    expect(report.pools[0]!.trashed).toEqual([]);
    expect((await home.pool.usage()).storedBytes).toBeLessThan(before);
    await expectEqual(first);
    await expectEqual(third);
    expect(await check()).toMatchObject({ status: 'ok' });
  });

  it('read through host checkpoints of the user, and set them aside when the VM is recovered', async () => {
    const { folder } = home.vm('web');
    const leaf = 'disk0_0001.avhdx';
    await using child = await diskFormats
      .get('vhdx')
      .create(join(folder, leaf), { sizeBytes: DISK_BYTES, subformat: 'differencing', parent: join(folder, 'disk0.vhdx') });
    await child.write(70_000, Buffer.from('after the checkpoint'));
    await child.flush();
    await child[Symbol.asyncDispose]();
    await home.change('web', ({ disks }) => {
      disks[0]!.path = leaf;
    });
    const point = await aPoint();
    expect(point.disks[0]!.subarray(70_000, 70_020).toString()).toBe('after the checkpoint');
    await home.write('web', 0, 80_000, noise(100));
    await expectEqual(await aPoint());
    await expect(recover(home.ports, { point: point.id, to: 'original', checkpoints: 'refuse' })).rejects.toMatchObject({
      kind: 'prerequisite',
    });
    await recover(home.ports, { point: point.id, to: 'original', checkpoints: 'set-aside' });
    expect((await home.content('web', 0)).equals(point.disks[0]!)).toBe(true);
    await expectEqual(await aPoint());
  });

  it('recover to original and go on from there', async () => {
    const point = await aPoint();
    await home.write('web', 0, 0, noise(100_000));
    await recover(home.ports, { point: point.id, to: 'original' });
    expect((await home.content('web', 0)).equals(point.disks[0]!)).toBe(true);
    await home.write('web', 1, 0, noise(100_000));
    await expectEqual(await aPoint());
  });
});

/** Flips one bit in the middle of the pool's largest pack. */
async function flipABit(skip = 0): Promise<void> {
  const folder = join(home.folder, 'pool', 'packs');
  await mkdir(folder, { recursive: true });
  const names = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const files = await Promise.all(
    names.map(async (entry) => ({ path: join(entry.parentPath, entry.name), bytes: await readFile(join(entry.parentPath, entry.name)) })),
  );
  const [largest] = files.sort((a, b) => b.bytes.length - a.bytes.length);
  const at = Math.floor(largest!.bytes.length / 3) + skip;
  largest!.bytes[at]! ^= 1;
  await writeFile(largest!.path, largest!.bytes);
}
