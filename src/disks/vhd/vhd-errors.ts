import { MabsError } from '../../lib/errors.ts';

/** Neither the footer nor its copy at the start can be used. */
export class VhdFooterError extends MabsError {
  readonly code = 'MABS-VHD-FOOTER';
  readonly hint = 'The image was truncated or is damaged: recover this disk from its newest recovery point.';
  override readonly kind = 'damaged';
  constructor(path: string, problem: string) {
    super(`${path} is no readable VHD: ${problem}`);
  }
}

/** The header of a dynamic or differencing image, or what it points at, cannot be. */
export class VhdHeaderError extends MabsError {
  readonly code = 'MABS-VHD-HEADER';
  readonly hint = 'The image is damaged: recover this disk from its newest recovery point.';
  override readonly kind = 'damaged';
  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`);
  }
}

/** An entry of the block allocation table points at what cannot be a block. */
export class VhdBlockError extends MabsError {
  readonly code = 'MABS-VHD-BLOCK';
  readonly hint = 'The image was truncated or is damaged: recover this disk from its newest recovery point.';
  override readonly kind = 'damaged';
  constructor(path: string, block: number, problem: string) {
    super(`${path}: block ${block} ${problem}`);
  }
}

/** A VHD of this kind cannot be made. */
export class VhdOptionError extends MabsError {
  readonly code = 'MABS-VHD-OPTION';
  readonly hint = 'A VHD has up to 2040 GiB in sectors of 512 bytes, and blocks of 512 KiB or 2 MiB; a VHDX has no such limits.';
  override readonly kind = 'usage';
  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`);
  }
}

/** The image cannot be merged as they are. */
export class VhdMergeError extends MabsError {
  readonly code = 'MABS-VHD-MERGE';
  readonly hint = 'Only a differencing VHD can be merged, into a parent of at least its own virtual size.';
  override readonly kind = 'usage';
  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`);
  }
}
