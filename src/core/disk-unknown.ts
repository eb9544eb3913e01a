import { MabsError } from '../lib/errors.ts';
import { diskName } from '../model/names.ts';

/** A recovery point has no disk of this number. */
export class DiskUnknownError extends MabsError {
  readonly code = 'MABS-DISK-UNKNOWN';
  readonly hint: string;
  /** `disks`: those that there are, with their N of `diskN`. */
  constructor(text: string, disks: readonly { readonly index: number }[]) {
    super(`${text}: the recovery point has no such disk`);
    this.hint = disks.length > 0 ? `It has ${disks.map(({ index }) => diskName(index)).join(', ')}.` : 'It has no disk at all.';
  }
}
