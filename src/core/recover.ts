import type { DiskFormatName } from '../disks/disk-format.ts';
import { type JobOptions, jobOptions, runJob } from './job.ts';
import { pointVm } from './known-points.ts';
import { cleanLeftovers } from './leftovers.ts';
import type { Ports } from './ports.ts';
import { findRecoverySource, parseRecoveryTarget } from './recover-plan.ts';
import { recoverToFolder } from './recover-to-folder.ts';
import { recoverToHost, recoverToOriginal } from './recover-to-host.ts';
import type { RecoveredDisk } from './write-recovered-disk.ts';

export interface RecoverRequest extends JobOptions {
  /** `HOST/VM@POINT[:/diskN]` or a point's id. */
  readonly point: string;
  /** `folder:DIR`, `original` or `host:NAME`. */
  readonly to: string;
  /** To a folder. */
  readonly format?: DiskFormatName;
  readonly overwrite?: boolean;
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
  readonly status: 'ok';
  readonly target: string;
  readonly pointId: string;
  readonly disks: readonly RecoveredDisk[];
  readonly files?: readonly string[];
  /** The VM that came of it, where one did. */
  readonly vm?: string;
  readonly vmId?: string;
  /** Replaced disks that stay for a while. */
  readonly keptOld?: readonly string[];
  readonly durationMs: number;
}

export const DEFAULT_KEEP_OLD_MS = 72 * 3_600_000;

/** Brings a recovery point back: to a folder, to the VM it came from, or as a new VM. */
export async function recover(ports: Ports, request: RecoverRequest): Promise<RecoverReport> {
  const started = ports.clock.now();
  const target = parseRecoveryTarget(request.to);
  const source = await findRecoverySource(ports, request.point);
  await cleanLeftovers(ports);
  const options = jobOptions(request);
  const { start = false, overwrite = false, format = 'vhdx', checkpoints = 'refuse' } = request;
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
      if (target.type === 'folder')
        return finish(await recoverToFolder(ports, source, { folder: target.path, format, overwrite, ...options }));
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
