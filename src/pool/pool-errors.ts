import { MabsError } from '../lib/errors.ts';

/** An object of the pool is not what was written: its checksum, its structure or its place is wrong. */
export class PoolObjectDamagedError extends MabsError {
  readonly code = 'MABS-POOL-OBJECT-DAMAGED';
  readonly hint = 'Run `mabs pool check`: it names everything that is damaged and the recovery points that need it.';
  override readonly kind = 'damaged';
  readonly file: string;
  readonly offset: number;
  constructor(file: string, offset: number, what: string, options?: ErrorOptions) {
    super(`${file} is damaged: ${what}`, options);
    this.file = file;
    this.offset = offset;
  }
}

/** A block as read back is not the block that was stored. */
export class BlockDamagedError extends MabsError {
  readonly code = 'MABS-BLOCK-DAMAGED';
  readonly hint =
    'Run `mabs consistency-check` for the VM: it brings the block back from the source; `mabs pool check` names the points concerned.';
  override readonly kind = 'damaged';
  readonly file: string;
  readonly offset: number;
  constructor(file: string, offset: number, what: string, options?: ErrorOptions) {
    super(`a block in ${file} at ${offset} is damaged: ${what}`, options);
    this.file = file;
    this.offset = offset;
  }
}

/** A block that something refers to is nowhere in the pool. */
export class BlockMissingError extends MabsError {
  readonly code = 'MABS-BLOCK-MISSING';
  readonly hint =
    'Run `mabs consistency-check` for the VM: it brings the block back from the source; `mabs pool check` names the points concerned.';
  override readonly kind = 'damaged';
  readonly digest: string;
  constructor(digest: Uint8Array) {
    const hex = Buffer.from(digest).toString('hex');
    super(`the pool has no block ${hex}`);
    this.digest = hex;
  }
}

/** The pool, or an object of it, was written by a later version of mabs. */
export class PoolNewerError extends MabsError {
  readonly code = 'MABS-POOL-NEWER';
  readonly hint = 'Update mabs on this machine; this version does not touch what it does not understand.';
  override readonly kind = 'newer';
  constructor(file: string, version: number) {
    super(`${file} has format version ${version}, which this version of mabs does not know`);
  }
}
