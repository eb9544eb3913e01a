import { MabsError, systemErrorCode } from '../../lib/errors.ts';
import { PoolFullError, StoreError } from '../blob-store.ts';

/** What a failed file operation means to users: out of space, or the volume's trouble with the system's error as cause. */
export function storeError(what: string, root: string, error: unknown): MabsError {
  if (error instanceof MabsError) return error;
  const code = systemErrorCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') return new PoolFullError(root, { cause: error });
  return new StoreError(what, { cause: error });
}
