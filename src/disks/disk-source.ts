import type { ByteRange } from '../lib/byte-range.ts';
import { MabsError } from '../lib/errors.ts';

/**
 * A part of a virtual disk and where its bytes lie.
 * `zero`: reads as zero, nothing to read. `file`: byte `position` of `files[file]` on. `opaque`: only `read()` knows.
 */
export type Extent = ByteRange &
  ({ readonly from: 'zero' } | { readonly from: 'file'; readonly file: number; readonly position: number } | { readonly from: 'opaque' });

/** A file that extents point into: plain data, which another thread reopens by itself. */
export interface FileDescriptor {
  readonly path: string;
}

/** A virtual disk opened for reading; nothing here ever writes. A live disk and a recovery point look alike. */
export interface DiskSource extends AsyncDisposable {
  /** Size of the virtual disk, not of its container. */
  readonly sizeBytes: number;
  readonly logicalSectorSize: number;
  readonly physicalSectorSize: number;
  /** What `extents` points into; empty for a source without files. */
  readonly files: readonly FileDescriptor[];
  /** Fills `into` from `offset`, wholly or not at all: a range past the end rejects with MABS-DISK-RANGE. */
  read(offset: number, into: Uint8Array): Promise<void>;
  /**
   * Where the bytes of `range` lie: ascending, adjoining, covering exactly the range; neighbours that continue each other are
   * joined. Memory is in proportion to the answer, so callers ask in windows. A range past the end rejects with MABS-DISK-RANGE.
   */
  extents(range: ByteRange): Promise<Extent[]>;
}

export class DiskRangeError extends MabsError {
  readonly code = 'MABS-DISK-RANGE';
  readonly hint = 'Name a range that lies within the virtual size that `mabs disk info` shows.';
  constructor(what: string, range: ByteRange, sizeBytes: number) {
    super(`${what}: bytes ${range.offset} to ${range.offset + range.length} are not within its ${sizeBytes} bytes`);
  }
}

/** Rejects ranges that are not whole numbers or reach past `sizeBytes`. */
export function checkDiskRange(what: string, range: ByteRange, sizeBytes: number): void {
  const { offset, length } = range;
  const valid = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0 && length <= sizeBytes - offset;
  if (!valid) throw new DiskRangeError(what, range, sizeBytes);
}
