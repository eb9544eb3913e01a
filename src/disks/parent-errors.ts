import { MabsError } from '../lib/errors.ts';

/** How many images a chain may have, the leaf included; Hyper-V allows 50 checkpoints. */
export const MAX_CHAIN_LENGTH = 100;

/** None of the places that a differencing image names holds its parent. */
export class DiskParentMissingError extends MabsError {
  readonly code = 'MABS-DISK-PARENT-MISSING';
  readonly hint = 'Put the parent beside the image or where it was, or name it with --parent FILE.';
  override readonly kind = 'prerequisite';
  constructor(path: string, looked: readonly string[], options?: ErrorOptions) {
    super(`${path} is a differencing disk and its parent was not found; looked for ${looked.join(', ') || 'nothing'}`, options);
  }
}

/** A parent is there, but it is not the one, or it was changed since the differencing image was made. */
export class DiskParentWrongError extends MabsError {
  readonly code = 'MABS-DISK-PARENT-WRONG';
  readonly hint = 'Its content would be garbage over this parent: find the original one, unchanged, and name it with --parent FILE.';
  override readonly kind = 'prerequisite';
  constructor(path: string, parent: string, options?: ErrorOptions) {
    super(`${path} is a differencing disk and ${parent} is not its parent, or was changed since`, options);
  }
}

/** A chain that comes back to itself or is longer than any that Hyper-V makes. */
export class DiskChainError extends MabsError {
  readonly code = 'MABS-DISK-CHAIN';
  readonly hint = 'The parents that the images name cannot be right: recover this disk from its newest recovery point.';
  override readonly kind = 'damaged';
  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`);
  }
}
