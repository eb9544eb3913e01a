import { MabsError } from '../../lib/errors.ts';

/** An image cannot be made or opened as asked. */
export class VhdxOptionError extends MabsError {
  readonly code = 'MABS-VHDX-OPTION';
  readonly hint = 'A VHDX has up to 64 TiB in whole sectors of 512 or 4096 bytes, and blocks of 1, 2, 4, … 256 MiB.';
  override readonly kind = 'usage';
  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`);
  }
}
