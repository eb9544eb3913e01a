import { hash } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { checkpoint } from '../../src/core/checkpoint.ts';
import { applyProtect, planProtect } from '../../src/core/protect.ts';
import { recover } from '../../src/core/recover.ts';
import { type RecoverFilesRequest, recoverFiles } from '../../src/core/recover-files.ts';
import { diskFormats } from '../../src/disks/registry.ts';
import { nameFromBytes, nameToBytes } from '../../src/lib/byte-names.ts';
import type { Pool } from '../../src/pool/pool.ts';
import { putFixtureDisk } from '../builders/fixture-disk.ts';
import { type FixtureEntry, fixtureTruth, fixtureVolume } from '../builders/fixture-volume.ts';
import { aRealHome, type JobHome } from '../builders/job-home.ts';
import { aWindowsDisk, hasNtfsTools } from '../builders/windows-disk.ts';

let home: JobHome<Pool>;
let target: string;
let targets = 0;
const POINT = 'hv1/web@latest';

/** A VM with ext4, NTFS and FAT32 on its disk, as other systems made them, and another VM with ext4. */
beforeAll(async () => {
  home = await aRealHome([
    { name: 'web', state: 'off' },
    { name: 'db', state: 'off' },
  ]);
  await putFixtureDisk(join(home.vm('web').folder, 'disk0.vhdx'), ['ext4', 'ntfs-everyday', 'fat32']);
  await putFixtureDisk(join(home.vm('db').folder, 'disk0.vhdx'), ['ext4']);
  await applyProtect(home.ports, await planProtect(home.ports, { group: 'all', members: ['hv1/web', 'hv1/db'], policy: {} }));
  await checkpoint(home.ports, { all: true });
});
afterAll(() => home[Symbol.asyncDispose]());
beforeEach(() => {
  target = join(home.folder, `target-${++targets}`);
});

/** A path on a system that keeps bytes. */
const inBytes = (folder: string, path: string) => Buffer.concat([Buffer.from(folder), nameToBytes(path)]);

const restore = (selections: RecoverFilesRequest['selections'], more: Partial<RecoverFilesRequest> = {}) =>
  recoverFiles(home.ports, { selections, to: `folder:${target}`, ...more });

/** Entries of the truth that a file system can be asked for by an ordinary path, and whose content is known. */
async function filesOf(fixture: string): Promise<(FixtureEntry & { sha256: string })[]> {
  const { entries } = await fixtureTruth(fixture);
  return entries.filter((entry): entry is FixtureEntry & { sha256: string } => entry.sha256 !== undefined);
}

const extrasOf = async (selections: string[]) => (await restore(selections)).extras!;

describe('recovered files', () => {
  it.each([
    { fixture: 'ext4', volume: '/disk0/p1' },
    { fixture: 'ntfs-everyday', volume: '/disk0/p2' },
    { fixture: 'fat32', volume: '/disk0/p3' },
  ])('are those of the whole $fixture volume, byte by byte, with their times and modes', async ({ fixture, volume }) => {
    const report = await restore([`${POINT}:${volume}/`]);
    expect(report.files.filter(({ status }) => status === 'failed')).toEqual([]);
    const top = join(target, volume.slice(1).replace('/', '-'));
    const wanted = await filesOf(fixture);
    expect(wanted.length).toBeGreaterThan(20);
    for (const { path, sha256, modified, mode } of wanted) {
      const bytes = await readFile(inBytes(top, path));
      expect({ path, sha256: hash('sha256', bytes, 'hex') }).toEqual({ path, sha256 });
      const found = await stat(inBytes(top, path), { bigint: true });
      if (mode !== undefined && fixture === 'ext4')
        expect({ path, mode: Number(found.mode) & 0o1777 }).toEqual({ path, mode: mode & 0o1777 });
      const late = found.mtimeNs - BigInt(modified ?? found.mtimeNs);
      // What the target's own file system cannot hold stands in the file of extras.
      const holds = modified !== undefined && BigInt(modified) > 0n && BigInt(modified) < 2n ** 33n * 1_000_000_000n;
      if (fixture !== 'fat32' && holds) expect({ path, near: late > -2000n && late < 2000n }).toEqual({ path, near: true });
    }
    for (const { path, type, target: leadsTo } of (await fixtureTruth(fixture)).entries) {
      if (type === 'dir') expect((await lstat(inBytes(top, path))).isDirectory()).toBe(true);
      if (type === 'link' && fixture === 'ext4') expect(nameFromBytes(await readlink(inBytes(top, path), 'buffer'))).toBe(leadsTo);
    }
  });

  it('come from any number of points and volumes into one folder, none over another', async () => {
    const [one] = await filesOf('ext4');
    const name = one!.path.slice(one!.path.lastIndexOf('/') + 1);
    const report = await restore([
      `${POINT}:/disk0/p1${one!.path}`,
      `hv1/db@latest:/disk0/p1${one!.path}`,
      `${POINT}:/disk0/p1${one!.path}`,
    ]);
    expect(report.pointIds).toHaveLength(2);
    expect(report.files.map(({ status }) => status)).toEqual(['ok', 'ok']);
    const names = (await readdir(target)).filter((found) => !found.startsWith('mabs-extras'));
    expect(names).toHaveLength(2);
    expect(names.every((found) => found !== name && /\((web|db)\)/.test(found))).toBe(true);
    for (const found of names) expect(hash('sha256', await readFile(join(target, found)), 'hex')).toBe(one!.sha256);
  });

  it('stand beside volumes as they are, and disks in the format asked for', async () => {
    const report = await restore([`${POINT}:/disk0/p3`, 'hv1/db@latest:/disk0'], { format: 'raw' });
    expect((await readdir(target)).sort()).toEqual(['disk0-p3.raw', 'disk0.raw']);
    const fat = await fixtureVolume('fat32');
    const bytes = Buffer.alloc(fat.sizeBytes);
    await fat.read(0, bytes);
    expect((await readFile(join(target, 'disk0-p3.raw'))).equals(bytes)).toBe(true);
    expect(report.disks).toMatchObject([{ disk: 'disk0', path: join(target, 'disk0.raw'), verified: true }]);
    await using source = await diskFormats.open(join(home.vm('db').folder, 'disk0.vhdx'));
    const disk = Buffer.alloc(source.sizeBytes);
    await source.read(0, disk);
    expect((await readFile(join(target, 'disk0.raw'))).equals(disk)).toBe(true);
  });

  it('are named by what a listing found, whatever is in the names', async () => {
    const [one] = await filesOf('ext4');
    const report = await restore([{ point: POINT, volume: '/disk0/p1', names: one!.path.slice(1).split('/') }]);
    expect(report.files).toMatchObject([{ status: 'ok', type: 'file', bytesWritten: expect.any(Number) }]);
    expect(report.files[0]!.source).toMatch(/^hv1\/web@[0-9a-f]{8}:\/disk0\/p1\//);
  });

  it('bear the names that they have, also where others were typed', async () => {
    const { files } = await restore([`${POINT}:/disk0/p2/SMALL.TXT`, `${POINT}:/disk0/p2/NaMeS`]);
    expect(files).toContainEqual(expect.objectContaining({ source: expect.stringMatching(/:\/disk0\/p2\/small\.txt$/) }));
    expect((await readdir(target)).filter((name) => !name.startsWith('mabs-extras')).sort()).toEqual(['names', 'small.txt']);
  });

  it('are alternate data streams by themselves where those are named, and nothing else of their file', async () => {
    const { files } = await restore([`${POINT}:/disk0/p2/docs/large.txt:NOTES`, `${POINT}:/disk0/p2/docs:of the folder`]);
    expect(files.map(({ status, bytesWritten }) => [status, bytesWritten]).sort()).toEqual([
      ['ok', 120],
      ['ok', 50],
    ]);
    expect((await readdir(target)).sort()).toEqual(['docs:of the folder', 'large.txt:notes']);
    const whole = await readFile(await extrasOf([`${POINT}:/disk0/p2/docs/large.txt`]), 'utf8');
    const kept = whole.split('\n').flatMap((line) => (line.includes('"streams"') ? JSON.parse(line).streams : []));
    const notes = kept.find(({ name }: { name: string }) => name === 'notes');
    expect(await readFile(join(target, 'large.txt:notes'), 'base64')).toBe(notes.base64);
    await expect(restore([`${POINT}:/disk0/p2/docs/large.txt:none`])).rejects.toMatchObject({ code: 'MABS-FILE-UNKNOWN' });
  });

  it('are kept by the job, which ends as the recovery did', async () => {
    await restore([`${POINT}:/disk0/p3/`]);
    const { pointId } = await restore([`${POINT}:/disk0/p3/`], { existing: 'skip' });
    const jobs = await home.ports.catalog.listJobs(50);
    expect(jobs).toContainEqual(
      expect.objectContaining({
        kind: 'recover',
        state: 'ok',
        subjects: ['hv1/web', pointId],
        result: expect.objectContaining({ status: 'ok', pointIds: [pointId] }),
      }),
    );
    expect(await home.ports.home.journal.list()).toEqual([]);
    expect((await readdir(target)).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('go to a folder of a host', async () => {
    const [one] = await filesOf('fat32');
    const to = 'host-folder:hv1:restored/here';
    const report = await recover(home.ports, { point: [`${POINT}:/disk0/p3${one!.path}`], to });
    expect(report.files![0]!.path.startsWith(join(home.folder, 'lab', 'restored', 'here'))).toBe(true);
    await expect(recover(home.ports, { point: [`${POINT}:/disk0/p3${one!.path}`], to: 'host-folder:hv1:../out' })).rejects.toMatchObject({
      code: 'MABS-HOST-FOLDER',
    });
  });
});

describe('what is there already', () => {
  let selection: string;
  let name: string;
  beforeEach(async () => {
    const [one] = await filesOf('fat32');
    selection = `${POINT}:/disk0/p3${one!.path}`;
    name = one!.path.slice(one!.path.lastIndexOf('/') + 1);
    await mkdir(target);
    await writeFile(join(target, name), 'precious');
  });
  const kept = () => readFile(join(target, name), 'utf8');

  it('is refused before anything is written', async () => {
    await expect(restore([selection, `${POINT}:/disk0/p1/`])).rejects.toMatchObject({
      code: 'MABS-TARGET-EXISTS',
      message: expect.stringContaining(name),
    });
    expect([await readdir(target), await kept()]).toEqual([[name], 'precious']);
  });

  it('stays with skip', async () => {
    const report = await restore([selection], { existing: 'skip' });
    expect(report).toMatchObject({ status: 'ok', files: [{ status: 'skipped' }], counts: { skipped: 1, files: 0 } });
    expect(await kept()).toBe('precious');
  });

  it('gives way to another name with rename', async () => {
    const report = await restore([selection], { existing: 'rename' });
    expect(report.files[0]!.path).toMatch(/ \(2\)/);
    expect(await kept()).toBe('precious');
    expect(await readdir(target)).toHaveLength(2);
  });

  it('is replaced with overwrite, a link itself and not what it leads to', async () => {
    await restore([selection], { existing: 'overwrite' });
    expect(await kept()).not.toBe('precious');
    const outside = join(home.folder, `outside-${targets}`);
    await writeFile(outside, 'precious');
    await rm(join(target, name));
    await symlink(outside, join(target, name));
    await restore([selection], { existing: 'overwrite' });
    expect((await lstat(join(target, name))).isFile()).toBe(true);
    expect(await readFile(outside, 'utf8')).toBe('precious');
  });

  it.each([
    { existing: 'skip', status: 'skipped' },
    { existing: 'rename', status: 'planned' },
    { existing: 'overwrite', status: 'planned' },
  ] as const)('is foretold by a dry run with $existing, which changes nothing', async ({ existing, status }) => {
    const foretold = await restore([selection], { existing, dryRun: true });
    expect(foretold).toMatchObject({ dryRun: true, files: [{ status, bytesWritten: 0 }] });
    expect([await readdir(target), await kept()]).toEqual([[name], 'precious']);
    const { files } = await restore([selection], { existing });
    expect(files.map(({ path }) => path)).toEqual(foretold.files.map(({ path }) => path));
  });

  it('is a folder where a file should go, or the reverse: neither gives way, as a dry run says', async () => {
    await rm(join(target, name));
    await mkdir(join(target, name));
    await writeFile(join(target, 'disk0-p3'), 'precious');
    for (const dryRun of [true, false]) {
      await expect(restore([selection], { existing: 'overwrite', dryRun })).rejects.toMatchObject({ code: 'MABS-TARGET-EXISTS' });
      const { status, files } = await restore([selection, `${POINT}:/disk0/p1${(await filesOf('ext4'))[0]!.path}`], {
        existing: 'overwrite',
        dryRun,
      });
      expect(status).toBe('partly');
      expect(files[0]).toMatchObject({ status: 'failed', error: { code: 'MABS-TARGET-EXISTS' } });
    }
    await expect(restore([`${POINT}:/disk0/p3/`], { existing: 'overwrite' })).rejects.toMatchObject({ code: 'MABS-TARGET-EXISTS' });
    expect(await readFile(join(target, 'disk0-p3'), 'utf8')).toBe('precious');
  });

  it('ends a dry run as it would end the recovery', async () => {
    const refused = { code: 'MABS-TARGET-EXISTS', message: expect.stringContaining(name) };
    await expect(restore([selection, `${POINT}:/disk0/p1/`], { dryRun: true })).rejects.toMatchObject(refused);
    expect(await readdir(target)).toEqual([name]);
  });
});

it('a dry run tells of each file what then becomes of it, and makes no target', async () => {
  const selections = [`${POINT}:/disk0/p1/`, `${POINT}:/disk0/p2/`, `${POINT}:/disk0/p3`, 'hv1/db@latest:/disk0'];
  const told = ({ files }: Awaited<ReturnType<typeof restore>>) =>
    files
      .filter(({ type }) => type !== 'dir')
      .map(({ source, path, type, status, note, originalName }) => {
        return { source, path, type, status: status === 'planned' ? 'ok' : status, note, originalName };
      })
      .sort((a, b) => (a.source < b.source ? -1 : 1));
  const foretold = await restore(selections, { dryRun: true, links: 'skip' });
  await expect(stat(target)).rejects.toMatchObject({ code: 'ENOENT' });
  const done = await restore(selections, { links: 'skip' });
  expect(told(foretold)).toEqual(told(done));
  expect(told(done)).toContainEqual(expect.objectContaining({ type: 'link', status: 'noted' }));
  expect(told(done)).toContainEqual(expect.objectContaining({ type: 'other', status: 'noted', note: 'fifo' }));
  expect({ ...foretold.counts, bytesWritten: 0 }).toEqual({ ...done.counts, bytesWritten: 0 });
});

it.each([
  { what: 'a whole VM among others', selections: [POINT, `${POINT}:/disk0/p1/`], code: 'MABS-SELECTION-UNFIT' },
  { what: 'nothing', selections: [], code: 'MABS-SELECTION-UNFIT' },
  { what: 'a file that is not there', selections: [`${POINT}:/disk0/p1/no such file`], code: 'MABS-FILE-UNKNOWN' },
  { what: 'a volume that is not there', selections: [`${POINT}:/disk0/p9/x`], code: 'MABS-VOLUME-UNKNOWN' },
  { what: 'a disk that is not there', selections: [`${POINT}:/disk9`], code: 'MABS-DISK-UNKNOWN' },
])('refuses $what before it makes the target', async ({ selections, code }) => {
  await expect(restore(selections)).rejects.toMatchObject({ code });
  await expect(stat(target)).rejects.toMatchObject({ code: 'ENOENT' });
});

it('refuses a folder in which it keeps its own files, by whatever way it is named', async () => {
  const pool = (await home.ports.home.listPools())[0]!.path;
  const link = join(home.folder, `link-${++targets}`);
  await symlink(pool, link);
  for (const folder of [pool, join(pool, 'packs', 'x'), home.ports.home.path, join(link, 'x')]) {
    const before = await readdir(pool);
    for (const selection of [POINT, `${POINT}:/disk0`, `${POINT}:/disk0/p3/`])
      await expect(recover(home.ports, { point: selection, to: `folder:${folder}`, existing: 'overwrite' })).rejects.toMatchObject({
        code: 'MABS-TARGET-OWN',
      });
    expect(await readdir(pool)).toEqual(before);
  }
});

it('refuses what belongs to files where a whole VM is recovered', () =>
  expect(recover(home.ports, { point: POINT, to: `folder:${target}`, existing: 'skip' })).rejects.toMatchObject({
    code: 'MABS-NOT-FOR-WHOLE-VM',
  }));

const withTools = hasNtfsTools || process.env.MABS_REQUIRE_TOOLS === '1' ? it : it.skip;
withTools('a page file whose content was left out is listed and not made, everything else is', async () => {
  await using own = await aRealHome([{ name: 'win', disks: 0, state: 'off' }]);
  await using windows = await aWindowsDisk();
  await windows.put('pagefile.sys', Buffer.alloc(2 ** 20, 'paged out '));
  await windows.put('notes.txt', Buffer.from('kept'));
  await own.change('win', ({ disks }) => disks.push({ id: 'd0', controller: 'scsi', path: 'disk0.raw' }));
  await writeFile(join(own.vm('win').folder, 'disk0.raw'), await windows.content());
  await applyProtect(own.ports, await planProtect(own.ports, { group: 'all', members: ['hv1/win'], policy: {} }));
  await checkpoint(own.ports, { all: true });
  const folder = join(own.folder, 'out');
  const report = await recoverFiles(own.ports, { selections: ['hv1/win@latest:/disk0/p1/'], to: `folder:${folder}` });
  const notMade = report.files.filter(({ status }) => status === 'noted');
  expect(notMade).toMatchObject([
    { path: join(folder, 'disk0-p1', 'pagefile.sys'), type: 'file', note: expect.stringContaining('left out') },
  ]);
  expect(report).toMatchObject({ status: 'ok', counts: { failed: 0 } });
  expect(await readdir(join(folder, 'disk0-p1'))).toEqual(['notes.txt']);
  expect(await readFile(join(folder, 'disk0-p1', 'notes.txt'), 'utf8')).toBe('kept');
});
