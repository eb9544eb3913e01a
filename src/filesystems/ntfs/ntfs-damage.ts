import { FileSystemDamagedError } from '../file-system.ts';

/** The error for a wrong structure of NTFS; `what` says which and what is wrong with it. */
export function damaged(what: string): FileSystemDamagedError {
  return new FileSystemDamagedError('ntfs', what);
}

/** Eight bytes as a number; what lies above 2^53 − 1 is damage. */
export function sizeAt(view: DataView, at: number, what: string): number {
  const high = view.getUint32(at + 4, true);
  if (high >= 0x200000) throw damaged(`${what} is above 2^53`);
  return high * 0x1_0000_0000 + view.getUint32(at, true);
}

/** Whether `length` bytes at `offset` lie within `limit`. All of them may be anything that a disk says. */
export function fits(offset: number, length: number, limit: number): boolean {
  return offset >= 0 && length >= 0 && length <= limit - offset;
}
