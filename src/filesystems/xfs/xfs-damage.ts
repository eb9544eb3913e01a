import { FileSystemDamagedError } from '../file-system.ts';

/** A structure of XFS that is wrong, and how. */
export const damaged = (what: string): FileSystemDamagedError => new FileSystemDamagedError('xfs', what);
