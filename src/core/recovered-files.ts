import type { DiskFormatName } from '../disks/disk-format.ts';
import type { Failure, JobOptions } from './job.ts';
import type { RecoveredDisk } from './write-recovered-disk.ts';

/** Something in a recovery point, by the names that its file system keeps: they may hold anything, also `/`. */
export interface FileSelection {
  /** `HOST/VM@POINT` or a point's id, without a path. */
  readonly point: string;
  /** `/disk0`, `/disk0/p2`, `/lv/VG/LV`. */
  readonly volume: string;
  /**
   * From the root of the volume's file system down; empty: all its files. Absent: the volume (or disk) itself, as an image.
   */
  readonly names?: readonly string[];
}

export interface RecoverFilesRequest extends JobOptions {
  /** Any number, from any points: `HOST/VM@POINT:/disk0/p2/PATH` as typed, or what was picked in a listing. */
  readonly selections: readonly (string | FileSelection)[];
  /** `folder:DIR` or `host-folder:HOST:PATH`. */
  readonly to: string;
  /** What happens with what is there already: `refuse` (the default) before anything is written. */
  readonly existing?: 'refuse' | 'overwrite' | 'skip' | 'rename';
  /** Whole disks. */
  readonly format?: DiskFormatName;
  /** Symbolic links: made again where the target's system can (the default), or only noted in the file of extras. */
  readonly links?: 'keep' | 'skip';
  /** POSIX owner and group are set too; for root. */
  readonly owner?: boolean;
  /** The set-user-id and set-group-id bits are kept. */
  readonly setId?: boolean;
  /** Which names the target can hold: found out by default. */
  readonly names?: 'auto' | 'posix' | 'windows';
  /** Only lists what would be written. */
  readonly dryRun?: boolean;
}

/** One file, folder, link, volume or disk of a recovery, as `files` of the report lists it. */
export interface RecoveredFile {
  /** Where it comes from: `HOST/VM@ID:/disk0/p2/PATH`. */
  readonly source: string;
  /** Where it is now; absolute. */
  readonly path: string;
  readonly type: 'file' | 'dir' | 'link' | 'other' | 'volume';
  /**
   * `ok`; `planned`: by `dryRun`; `skipped`: something is there already, or links are skipped; `noted`: kept in the file of extras,
   * because the target cannot hold it; `failed`: see `error`. An `error` of what is `ok` says what is missing beside the content.
   */
  readonly status: 'ok' | 'planned' | 'skipped' | 'noted' | 'failed';
  /** Bytes of content; holes are free. */
  readonly bytesWritten: number;
  /** Its name in its own system, where the target could not hold it; the last part of `path` stands for it. */
  readonly originalName?: string;
  /** Why it was not made, in words. */
  readonly note?: string;
  readonly error?: Failure;
}

export interface RecoverFilesReport {
  readonly status: 'ok' | 'partly';
  /** Nothing was written: this is what would be. */
  readonly dryRun?: true;
  readonly target: string;
  /** The first point; all of them in `pointIds`. */
  readonly pointId: string;
  readonly pointIds: readonly string[];
  readonly disks: readonly RecoveredDisk[];
  /** Every file up to a limit; what is not `ok` or has another name first of all. */
  readonly files: readonly RecoveredFile[];
  readonly counts: {
    readonly files: number;
    readonly folders: number;
    readonly links: number;
    readonly skipped: number;
    readonly failed: number;
    readonly renamed: number;
    readonly bytesWritten: number;
    /** Rows that `files` does not list. */
    readonly notListed: number;
  };
  /** The file of extras, where there was anything to keep in it. */
  readonly extras?: string;
  readonly durationMs: number;
}
