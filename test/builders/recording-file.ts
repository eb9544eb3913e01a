import { ReadPastEndError } from '../../src/lib/byte-source.ts';
import type { RandomAccessFile } from '../../src/lib/random-access-file.ts';

type Operation = { readonly write: Uint8Array; readonly at: number } | { readonly truncate: number } | 'sync';

/** A file in memory that remembers what was done to it, so that a power cut at any moment can be played. */
export interface RecordingFile extends RandomAccessFile {
  readonly operations: readonly Operation[];
  /**
   * What the medium holds when the power goes after `count` operations: everything up to the last sync before it, and of
   * what came later some, all or nothing, the last write of it perhaps torn at a sector. `keep` decides, once for each.
   */
  afterPowerCut(count: number, keep: () => 'all' | 'nothing' | 'torn'): Uint8Array;
}

export function recordingFile(path: string, initial: Uint8Array): RecordingFile {
  const operations: Operation[] = [];
  let bytes: Uint8Array = initial.slice();
  return {
    path,
    operations,
    get sizeBytes() {
      return bytes.length;
    },
    async read(offset, into) {
      if (offset < 0 || offset + into.length > bytes.length) throw new ReadPastEndError(path, offset, into.length, bytes.length);
      into.set(bytes.subarray(offset, offset + into.length));
    },
    async write(offset, data) {
      const write = data.slice();
      operations.push({ write, at: offset });
      bytes = applied(bytes, { write, at: offset });
    },
    async truncate(size) {
      operations.push({ truncate: size });
      bytes = applied(bytes, { truncate: size });
    },
    async sync() {
      operations.push('sync');
    },
    async [Symbol.asyncDispose]() {},
    afterPowerCut(count, keep) {
      const durable = operations.slice(0, count).lastIndexOf('sync') + 1;
      let medium: Uint8Array = initial.slice();
      for (const [index, operation] of operations.slice(0, count).entries()) {
        if (operation === 'sync') continue;
        const kept = index < durable ? 'all' : keep();
        if (kept === 'all') medium = applied(medium, operation);
        else if (kept === 'torn' && 'write' in operation) {
          const half = Math.ceil(operation.write.length / 1024) * 512;
          medium = applied(medium, { at: operation.at, write: operation.write.subarray(0, half) });
        }
      }
      return medium;
    },
  };
}

function applied(bytes: Uint8Array, operation: Exclude<Operation, 'sync'>): Uint8Array {
  const size = 'truncate' in operation ? operation.truncate : Math.max(bytes.length, operation.at + operation.write.length);
  const grown = size === bytes.length ? bytes : new Uint8Array(size);
  if (grown !== bytes) grown.set(bytes.subarray(0, size));
  if ('write' in operation) grown.set(operation.write, operation.at);
  return grown;
}
