import type { DiskFormatName } from '../disks/disk-format.ts';
import { MabsError } from '../lib/errors.ts';
import { parseDiskPath, parsePointName } from '../model/names.ts';
import { type JobOptions, jobOptions, runJob } from './job.ts';
import { pointVm } from './known-points.ts';
import { cleanLeftovers } from './leftovers.ts';
import type { Ports } from './ports.ts';
import { type RecoveredFile, type RecoverFilesReport, type RecoverFilesRequest, recoverFiles } from './recover-files.ts';
import { findRecoverySource, parseRecoveryTarget, reachTarget } from './recover-plan.ts';
import { recoverToFolder } from './recover-to-folder.ts';
import { recoverToHost, recoverToOriginal } from './recover-to-host.ts';
import type { RecoveredDisk } from './write-recovered-disk.ts';

export interface RecoverRequest extends JobOptions {
  /** `HOST/VM@POINT[:/diskN[/pN[/PATH]]]` or a point's id; several: disks, volumes and files of any points. */
  readonly point: string | readonly string[];
  /** `folder:DIR`, `host-folder:HOST:PATH`, `original` or `host:NAME`. */
  readonly to: string;
  /** To a folder. */
  readonly format?: DiskFormatName;
  readonly existing?: RecoverFilesRequest['existing'];
  /** Files, folders and volumes. */
  readonly files?: Pick<RecoverFilesRequest, 'links' | 'owner' | 'setId' | 'names' | 'dryRun'>;
  /** To original. */
  readonly keepOldMs?: number;
  readonly checkpoints?: 'set-aside' | 'refuse';
  /** To a host. */
  readonly path?: string;
  readonly name?: string;
  readonly network?: 'disconnect' | 'keep' | Readonly<Record<string, string>>;
  readonly highlyAvailable?: boolean;
  readonly start?: boolean;
}

/** What `recover` prints. Paths are absolute. */
export interface RecoverReport {
  readonly status: 'ok' | 'partly';
  /** Nothing was written: this is what would be. */
  readonly dryRun?: true;
  readonly target: string;
  readonly pointId: string;
  readonly disks: readonly RecoveredDisk[];
  /** Of a whole VM: its configuration; else what was recovered out of disks. */
  readonly files?: readonly RecoveredFile[];
  readonly counts?: RecoverFilesReport['counts'];
  readonly extras?: string;
  /** The VM that came of it, where one did. */
  readonly vm?: string;
  readonly vmId?: string;
  /** Replaced disks that stay for a while. */
  readonly keptOld?: readonly string[];
  readonly durationMs: number;
}

export class NotForWholeVmError extends MabsError {
  readonly code = 'MABS-NOT-FOR-WHOLE-VM';
  readonly hint = 'Leave them out, or name what to recover: …:/disk0, …:/disk0/p2/PATH';
  override readonly kind = 'usage';
  constructor() {
    super('--skip, --rename and --dry-run are for disks, volumes and files, not for a whole VM');
  }
}

export const DEFAULT_KEEP_OLD_MS = 72 * 3_600_000;

/** Brings a recovery point back: to a folder, to the VM it came from, or as a new VM; or what lies in points, to a folder. */
export async function recover(ports: Ports, request: RecoverRequest): Promise<RecoverReport> {
  const started = ports.clock.now();
  const target = parseRecoveryTarget(request.to);
  const whole = wholeOf(request);
  if (whole === undefined) return await recoverFiles(ports, filesRequestOf(request));
  if (request.existing === 'skip' || request.existing === 'rename' || request.files?.dryRun) throw new NotForWholeVmError();
  const source = await findRecoverySource(ports, whole);
  await cleanLeftovers(ports);
  const options = jobOptions(request);
  const { start = false, format = 'vhdx', checkpoints = 'refuse' } = request;
  return runJob(
    ports,
    { kind: 'recover', subjects: [pointVm(source.point), source.point.manifest.id] },
    async (): Promise<RecoverReport> => {
      const finish = <T extends object>(result: T) => ({
        status: 'ok' as const,
        pointId: source.point.manifest.id,
        ...result,
        durationMs: ports.clock.now() - started,
      });
      if (target.type === 'folder' || target.type === 'host-folder') {
        const folder = await reachTarget(ports, request.to);
        return finish(await recoverToFolder(ports, source, { folder, format, overwrite: request.existing === 'overwrite', ...options }));
      }
      if (target.type === 'original') {
        const keepOldMs = request.keepOldMs ?? DEFAULT_KEEP_OLD_MS;
        return finish(await recoverToOriginal(ports, source, { keepOldMs, checkpoints, start, ...options }));
      }
      return finish(
        await recoverToHost(ports, source, {
          host: target.host,
          network: request.network ?? 'disconnect',
          highlyAvailable: request.highlyAvailable ?? false,
          start,
          ...(request.path === undefined ? {} : { path: request.path }),
          ...(request.name === undefined ? {} : { name: request.name }),
          ...options,
        }),
      );
    },
  );
}

/** The one text that names a whole VM or a whole disk; nothing where it is a recovery of files, or of several things. */
function wholeOf({ point, existing, files }: RecoverRequest): string | undefined {
  const texts = typeof point === 'string' ? [point] : point;
  const [text] = texts;
  if (texts.length !== 1 || text === undefined) return undefined;
  const { path } = parsePointName(text);
  if (path === undefined || path === '/') return text;
  const plain = existing !== 'skip' && existing !== 'rename' && !files?.dryRun;
  return plain && parseDiskPath(path) !== undefined ? text : undefined;
}

function filesRequestOf({ point, to, format, existing, files, ...rest }: RecoverRequest): RecoverFilesRequest {
  return {
    selections: typeof point === 'string' ? [point] : point,
    to,
    ...(format && { format }),
    ...(existing && { existing }),
    ...files,
    ...jobOptions(rest),
  };
}
