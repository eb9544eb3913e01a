import type { DiskFormatName } from '../disks/disk-format.ts';
import { throwIfAborted } from '../lib/errors.ts';
import { TargetFullError } from '../lib/random-access-file.ts';
import { runJob } from './job.ts';
import { withJournaledFiles } from './journaled-files.ts';
import { pointVm } from './known-points.ts';
import { cleanLeftovers } from './leftovers.ts';
import type { Ports } from './ports.ts';
import { checkFormat, reachTarget } from './recover-plan.ts';
import type { RecoverFilesReport, RecoverFilesRequest } from './recovered-files.ts';
import { ExtrasFile, extrasName } from './restore-files/extras-file.ts';
import { Limiter } from './restore-files/limiter.ts';
import { type Measured, measure } from './restore-files/measure.ts';
import { isFreeIn, nameInTarget, namesIn } from './restore-files/name-in-target.ts';
import { OpenFolder } from './restore-files/open-folder.ts';
import { PlannedFiles } from './restore-files/planned-files.ts';
import { RecoveryRows } from './restore-files/recovery-rows.ts';
import type { RestoreContext } from './restore-files/restore-context.ts';
import { restoreDisk, restoreVolume } from './restore-files/restore-image.ts';
import { restoreTree } from './restore-files/restore-tree.ts';
import { findSelections, type Selected, SelectionUnfitError } from './restore-files/selections.ts';
import { settle } from './restore-files/settle.ts';
import { freeSpace, openTarget, stagingPath } from './restore-files/target.ts';
import type { RecoveredDisk } from './write-recovered-disk.ts';

export type { FileSelection, RecoveredFile, RecoverFilesReport, RecoverFilesRequest } from './recovered-files.ts';

/** Brings any number of files, folders, volumes and disks back into one folder. */
export async function recoverFiles(ports: Ports, request: RecoverFilesRequest): Promise<RecoverFilesReport> {
  const started = ports.clock.now();
  const folder = await reachTarget(ports, request.to);
  await using stack = new AsyncDisposableStack();
  const format = request.format ?? 'vhdx';
  const found = await findSelections(ports, request.selections, format, stack);
  if (found.length === 0) throw new SelectionUnfitError('nothing is selected', 'Name what to recover: HOST/VM@POINT:/disk0/p1/PATH');
  checkFormat(
    found.flatMap((one) => (one.type === 'disk' ? [one.disk] : [])),
    format,
  );
  const job: FilesJob = { id: ports.random.uuid(), started, folder, found, format };
  if (request.dryRun) return await planRecovery(ports, request, job);
  await cleanLeftovers(ports);
  const pointIds = pointIdsOf(found);
  let report: RecoverFilesReport | undefined;
  const subjects = [...new Set(found.map(({ point }) => pointVm(point))), ...pointIds];
  await runJob(
    ports,
    { kind: 'recover', subjects },
    async () => {
      report = await carryOut(ports, request, job);
      // The catalog keeps what needs a look, not a row for each of a million files.
      return { ...report, files: report.files.slice(0, MOST_JOB_ROWS) };
    },
    ({ status }) => status,
  );
  return report!;
}

/** Rows that the catalog keeps of a job. */
const MOST_JOB_ROWS = 1000;
/** Files under way at a time. */
const FILES_AT_A_TIME = 8;

interface FilesJob {
  readonly id: string;
  readonly started: number;
  readonly folder: string;
  readonly found: readonly Selected[];
  readonly format: DiskFormatName;
}

async function carryOut(ports: Ports, request: RecoverFilesRequest, job: FilesJob): Promise<RecoverFilesReport> {
  const { folder, found, id } = job;
  const measured = await measure(found, request.signal);
  const staging = await stagingPath(folder, id);
  return await withJournaledFiles(ports, { id, point: found[0]!.point, files: [staging] }, async () => {
    await using target = await openTarget({ folder, id, names: request.names ?? 'auto' });
    await checkRoom(folder, measured);
    const root = new OpenFolder(target.root, '', async () => {});
    const named = await nameInTarget(namesIn(target), found, request.existing ?? 'refuse');
    const rows = new RecoveryRows();
    const extras = new ExtrasFile(target.staging.path, id);
    const meter = progressOf(ports, request, measured);
    const limiter = new Limiter(FILES_AT_A_TIME);
    const { existing = 'refuse', links = 'keep', owner = false, setId = false, signal } = request;
    const context = { target, rows, extras, limiter, existing, links, owner, setId, ...meter, ...(signal && { signal }) };
    try {
      const disks = await restoreAll(ports, context, named, root, job.format);
      const kept = await settleExtras(context, root, id);
      if (rows.onlyFailure !== undefined) throw rows.onlyFailure;
      return reportOf(ports, job, rows, disks, kept);
    } finally {
      // What was recovered before something failed keeps what belongs to it.
      await settleExtras(context, root, id).catch(() => {});
      await extras.close().catch(() => {});
    }
  });
}

/** One selection after the other, a few files at a time. */
async function restoreAll(ports: Ports, context: RestoreContext, named: readonly Selected[], root: OpenFolder, format: DiskFormatName) {
  const disks: RecoveredDisk[] = [];
  try {
    for (const one of named) {
      throwIfAborted(context.signal);
      if (one.type === 'tree') await restoreTree(context, one, root);
      else if (one.type === 'volume') await restoreVolume(context, one, root);
      else {
        const disk = await restoreDisk(ports, context, one, root, format);
        if (disk) disks.push(disk);
      }
    }
    await context.limiter.finish();
    return disks;
  } finally {
    await context.limiter.settle();
  }
}

async function settleExtras(context: RestoreContext, root: OpenFolder, id: string): Promise<string | undefined> {
  for (const name of await context.extras.finish()) await settle({ ...context, existing: 'refuse' }, root, name, name);
  return (await isFreeIn(root.folder, extrasName(id))) ? undefined : root.folder.childPath(extrasName(id));
}

/** Bytes of all selections together, told at most ten times a second. */
function progressOf({ clock }: Ports, { onProgress }: RecoverFilesRequest, { files, bytes: totalBytes }: Measured) {
  let doneBytes = 0;
  let doneFiles = 0;
  let told = 0;
  const tell = () => {
    const now = clock.now();
    if (!onProgress || (now - told < 100 && doneFiles < files)) return;
    told = now;
    onProgress({ label: files === 1 ? 'file' : `${files} files`, doneBytes: Math.min(doneBytes, totalBytes), totalBytes });
  };
  return {
    onBytes(bytes: number) {
      doneBytes += bytes;
      tell();
    },
    onFile() {
      doneFiles += 1;
      tell();
    },
  };
}

/** The data must fit. A volume that does not tell its room is tried. */
async function checkRoom(folder: string, { bytes }: Measured): Promise<void> {
  const free = await freeSpace(folder);
  if (free !== undefined && bytes > free)
    throw new TargetFullError(folder, { detail: `the recovery needs ${bytes} bytes, and ${free} are free` });
}

/** Lists everything, reads no content and changes nothing; what would be refused rejects as it would then. */
async function planRecovery(ports: Ports, request: RecoverFilesRequest, job: FilesJob): Promise<RecoverFilesReport> {
  const rows = new RecoveryRows();
  const planned = new PlannedFiles(rows, job.folder, request);
  const named = await nameInTarget(planned, job.found, request.existing ?? 'refuse');
  await measure(named, request.signal, planned);
  if (rows.onlyFailure !== undefined) throw rows.onlyFailure;
  return { ...reportOf(ports, job, rows, [], undefined), dryRun: true };
}

function reportOf(
  ports: Ports,
  { started, folder, found }: FilesJob,
  rows: RecoveryRows,
  disks: readonly RecoveredDisk[],
  extras: string | undefined,
): RecoverFilesReport {
  const pointIds = pointIdsOf(found);
  return {
    status: rows.counts.failed > 0 ? 'partly' : 'ok',
    target: `folder:${folder}`,
    pointId: pointIds[0]!,
    pointIds,
    disks,
    files: rows.files,
    counts: rows.counts,
    ...(extras !== undefined && { extras }),
    durationMs: ports.clock.now() - started,
  };
}

function pointIdsOf(found: readonly Selected[]): string[] {
  return [...new Set(found.map(({ point }) => point.manifest.id))];
}
