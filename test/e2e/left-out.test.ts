import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkConsistency } from '../../src/core/check-consistency.ts';
import { checkpoint } from '../../src/core/checkpoint.ts';
import { listPoints, showPoint } from '../../src/core/points.ts';
import { applyProtect, planProtect } from '../../src/core/protect.ts';
import { recover } from '../../src/core/recover.ts';
import type { Policy } from '../../src/model/group.ts';
import type { Pool } from '../../src/pool/pool.ts';
import { aRealHome, type JobHome } from '../builders/job-home.ts';
import { someBytes } from '../builders/pool-blocks.ts';
import { aWindowsDisk, hasNtfsTools, lookIntoNtfs, type WindowsDisk } from '../builders/windows-disk.ts';

const MiB = 2 ** 20;
const PAGE = 4096;
const withTools = hasNtfsTools || process.env.MABS_REQUIRE_TOOLS === '1' ? it : it.skip;

let home: JobHome<Pool>;
let windows: WindowsDisk;
let before: Buffer | undefined;
let changes = 0;
beforeEach(async () => {
  home = await aRealHome([{ name: 'win', disks: 0, state: 'off' }]);
  before = undefined;
  if (!hasNtfsTools) return;
  windows = await aWindowsDisk();
  await home.change('win', ({ disks }) => disks.push({ id: 'd0', controller: 'scsi', path: 'disk0.raw' }));
});
afterEach(async () => {
  await windows?.[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

const protect = async (policy: Partial<Policy> = {}) =>
  applyProtect(home.ports, await planProtect(home.ports, { group: 'servers', members: ['hv1/win'], policy }));

/** Gives the VM the disk as it is now; change tracking tells which pages differ, and nothing of who owns them. */
async function boot(): Promise<void> {
  const path = join(home.vm('win').folder, 'disk0.raw');
  const content = await windows.content();
  const tracking = { current: `T${++changes}`, history: [] as unknown[] };
  if (before) {
    const { current, history } = JSON.parse(await readFile(`${path}.rct.json`, 'utf8'));
    const ranges = [];
    for (let at = 0; at < content.length; at += PAGE) {
      if (content.compare(before, at, at + PAGE, at, at + PAGE) !== 0) ranges.push([at, PAGE]);
    }
    tracking.history = [...history, { from: current, to: tracking.current, ranges }];
  }
  before = content;
  await writeFile(path, content);
  await writeFile(`${path}.rct.json`, JSON.stringify(tracking));
}

async function takePoint() {
  const { report } = await checkpoint(home.ports, { all: true });
  expect(report.members[0]).toMatchObject({ status: 'ok', verified: true });
  return report.members[0]!;
}

/** The restored disk, which has to be the guest's in every byte that the point does not name as left out. */
async function restore(pointId: string) {
  const report = await recover(home.ports, { point: pointId, to: `folder:${join(home.folder, pointId)}`, format: 'raw' });
  const { path } = report.disks[0]!;
  const expected = Buffer.from(before!);
  const { leftOut } = (await showPoint(home.ports, pointId)).diskDetails[0]!;
  for (const [offset, length] of leftOut) expected.fill(0, offset, offset + length);
  expect((await readFile(path)).equals(expected)).toBe(true);
  return await lookIntoNtfs(path);
}

describe('of a disk with NTFS', () => {
  withTools('page files and swap are neither read nor stored, and all else restores', async () => {
    const notes = someBytes('notes', 300_000);
    const sizes = { 'pagefile.sys': 3 * MiB, 'HIBERFIL.SYS': 2 * MiB, 'swapfile.sys': MiB };
    for (const [name, size] of Object.entries(sizes)) await windows.put(name, someBytes(name, size));
    await windows.put('notes.bin', notes);
    await protect();
    await boot();
    const first = await takePoint();
    const leftOut = 6 * MiB + windows.swap.length - PAGE;
    expect(first.bytesScanned).toBe(before!.length - leftOut);
    expect(first.bytesStored).toBeLessThan(MiB);
    const [row] = await listPoints(home.ports);
    expect(row!.disks).toMatchObject([{ leftOut }]);
    expect((await showPoint(home.ports, first.pointId!)).diskDetails[0]!.leftOutNotes).toEqual([
      { volume: '/disk0/p1', what: 'pagefile.sys', bytes: 3 * MiB },
      { volume: '/disk0/p1', what: 'hiberfil.sys', bytes: 2 * MiB },
      { volume: '/disk0/p1', what: 'swapfile.sys', bytes: MiB },
      { volume: '/disk0/p2', what: 'swap', bytes: windows.swap.length - PAGE },
    ]);
    const restored = await restore(first.pointId!);
    expect(restored.isSound).toBe(true);
    expect(restored.file('notes.bin').equals(notes)).toBe(true);
    expect(restored.file('pagefile.sys').equals(Buffer.alloc(3 * MiB))).toBe(true);
  });

  withTools('what a page file gives up is read, what it takes is not, and a check finds no difference', async () => {
    await windows.put('pagefile.sys', someBytes('paged', 3 * MiB));
    await protect();
    await boot();
    await takePoint();

    await windows.put('pagefile.sys', someBytes('paged again', 4 * MiB));
    await boot();
    const untouched = await takePoint();
    expect(untouched).toMatchObject({ tracking: 'rct' });
    expect(untouched.bytesScanned).toBeLessThan(MiB);
    await restore(untouched.pointId!);

    await windows.put('pagefile.sys', someBytes('less', 1 * MiB));
    const database = someBytes('database', 4 * MiB);
    await windows.put('database.bin', database);
    await boot();
    const shrunk = await takePoint();
    expect(shrunk.tracking).toBe('rct');
    expect(shrunk.bytesTransferred).toBeGreaterThan(4 * MiB - 1);
    const restored = await restore(shrunk.pointId!);
    expect(restored.isSound).toBe(true);
    expect(restored.file('database.bin').equals(database)).toBe(true);

    const { report } = await checkConsistency(home.ports, { all: true });
    expect(report.members[0]).toMatchObject({ status: 'ok', blocksDiffering: 0, bytesTransferred: 0 });
    expect(await home.ports.catalog.listAlerts()).toEqual([]);
  });

  withTools('free clusters are left out too where the policy says so, and taken back when it no longer does', async () => {
    await windows.put('pagefile.sys', someBytes('paged', 3 * MiB));
    await windows.put('deleted.bin', someBytes('deleted', 3 * MiB));
    await windows.put('deleted.bin', someBytes('nearly', 10));
    await protect({ leaveOut: ['pagefile', 'free'] });
    await boot();
    const first = await takePoint();
    expect(first.bytesScanned).toBeLessThan(5 * MiB);
    expect(first.bytesStored).toBeLessThan(MiB);
    expect((await restore(first.pointId!)).isSound).toBe(true);

    await protect({ leaveOut: [] });
    const whole = await takePoint();
    expect(whole.tracking).toBe('rct');
    expect((await listPoints(home.ports)).at(-1)!.disks).toMatchObject([{ leftOut: 0 }]);
    const restored = await restore(whole.pointId!);
    expect(restored.file('pagefile.sys').equals(someBytes('paged', 3 * MiB))).toBe(true);
  });

  withTools('nothing is left out while it is dirty: what its records say of the page file may be stale', async () => {
    await windows.put('pagefile.sys', someBytes('paged', MiB));
    await windows.markDirty();
    await protect({ leaveOut: ['pagefile', 'free'] });
    await boot();
    const point = await takePoint();
    expect((await showPoint(home.ports, point.pointId!)).diskDetails[0]!.leftOutNotes).toEqual([
      { volume: '/disk0/p1', kept: 'its ntfs is not clean: changes may be pending that are not seen' },
      { volume: '/disk0/p2', what: 'swap', bytes: windows.swap.length - PAGE },
    ]);
    await restore(point.pointId!);
  });
});
