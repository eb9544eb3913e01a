import { MabsError } from './errors.ts';

/** Bytes at positions: a file, a part of one, or memory. Only read. */
export interface ByteSource extends AsyncDisposable {
  readonly sizeBytes: number;
  /** Fills `into` from `offset`, wholly or not at all: a range past the end rejects with MABS-READ-PAST-END. */
  read(offset: number, into: Uint8Array): Promise<void>;
}

export class ReadPastEndError extends MabsError {
  readonly code = 'MABS-READ-PAST-END';
  readonly hint = 'The file is shorter than its own structure says: it was truncated or is damaged.';
  override readonly kind = 'damaged';
  constructor(what: string, offset: number, length: number, sizeBytes: number) {
    super(`${what}: cannot read ${length} bytes at ${offset}, it ends at ${sizeBytes}`);
  }
}

/** A byte source over memory; `what` names it in errors. */
export function memorySource(bytes: Uint8Array, what = 'memory'): ByteSource {
  return {
    sizeBytes: bytes.length,
    async read(offset, into) {
      if (!inside(offset, into.length, bytes.length)) throw new ReadPastEndError(what, offset, into.length, bytes.length);
      into.set(bytes.subarray(offset, offset + into.length));
    },
    async [Symbol.asyncDispose]() {},
  };
}

function inside(offset: number, length: number, sizeBytes: number): boolean {
  return Number.isSafeInteger(offset) && offset >= 0 && length <= sizeBytes - offset;
}
