import type { FileNode, FileSystem } from '../../filesystems/file-system.ts';
import { type ErrorKind, MabsError, systemErrorCode } from '../../lib/errors.ts';
import { TargetFullError } from '../../lib/random-access-file.ts';
import { firstCause } from '../job.ts';
import type { ExtrasFile } from './extras-file.ts';
import type { Limiter } from './limiter.ts';
import type { RecoveryRows } from './recovery-rows.ts';
import type { Target } from './target.ts';

/** What happens with what is there already, below what was selected. */
export type Existing = 'refuse' | 'overwrite' | 'skip' | 'rename';

/** Everything that a recovery of files works with. */
export interface RestoreContext {
  readonly target: Target;
  readonly rows: RecoveryRows;
  readonly extras: ExtrasFile;
  readonly limiter: Limiter;
  readonly existing: Existing;
  readonly links: 'keep' | 'skip';
  readonly owner: boolean;
  readonly setId: boolean;
  readonly signal?: AbortSignal;
  readonly onBytes: (bytes: number) => void;
  readonly onFile: () => void;
}

/** A file, a folder with all in it, or a link, to be recovered under a name of its own in the target. */
export interface TreeSource {
  readonly system: FileSystem;
  readonly node: FileNode;
  /** `HOST/VM@ID:/disk0/p2`. */
  readonly volume: string;
  /** Its names from the root of the volume down; empty for the root. */
  readonly names: readonly string[];
  /** Names in it that are not recovered with it: what a file system keeps for itself. */
  readonly omit?: ReadonlySet<string>;
  /** Whether the content of a file was left out of the point, and reads as zeros. */
  readonly isLeftOut?: (node: FileNode) => Promise<boolean>;
  /** The name that it gets in the target, before what the target cannot hold is mapped. */
  readonly as: string;
}

/** Said of a file that is not made because its bytes are not in the point. */
export const LEFT_OUT_NOTE = 'its content was left out of the recovery point';

const FATAL_KINDS: readonly ErrorKind[] = ['interrupted', 'space'];

/** Rethrows what ends the whole recovery: an interruption, a full volume. The rest concerns one file. */
export function throwFatal(thrown: unknown, path: string): void {
  const error = firstCause(thrown);
  if (error instanceof MabsError && FATAL_KINDS.includes(error.kind)) throw error;
  const code = systemErrorCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') throw new TargetFullError(path, { cause: error });
}
