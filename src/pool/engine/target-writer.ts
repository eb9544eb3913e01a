import { close, open, write } from 'node:fs';
import { promisify } from 'node:util';
import type { FileDescriptor } from '../../disks/disk-source.ts';
import { MabsError, systemErrorCode } from '../../lib/errors.ts';
import { TargetFullError } from '../../lib/random-access-file.ts';
import { Chunk, type DiskWindow, ExtentRow, OPAQUE } from './disk-window.ts';

const openFile = promisify(open);
const closeFile = promisify(close);

/** Writes what only the target itself can (its extents are opaque). */
export type WriteOpaque = (offset: number, bytes: Uint8Array) => Promise<void>;

/** Writes chunks of a disk straight to the files that its extents point into. One to a thread. */
export class TargetWriter {
  readonly #files: readonly FileDescriptor[];
  readonly #descriptors: (number | undefined)[] = [];
  readonly #writeOpaque: WriteOpaque | undefined;

  constructor(files: readonly FileDescriptor[], writeOpaque: WriteOpaque | undefined) {
    this.#files = files;
    this.#writeOpaque = writeOpaque;
  }

  /** Writes the chunk at `row`. Out of space: MABS-TARGET-FULL; else MABS-TARGET-WRITE names the file and the place. */
  async writeChunk(window: DiskWindow, row: number, bytes: Uint8Array): Promise<void> {
    const { chunks, extents } = window;
    const first = chunks[row + Chunk.firstExtent]!;
    for (let extent = first; extent < first + chunks[row + Chunk.extents]!; extent += 1) {
      const at = extents[extent * ExtentRow.fields + ExtentRow.at]!;
      const part = bytes.subarray(at, at + extents[extent * ExtentRow.fields + ExtentRow.length]!);
      const file = extents[extent * ExtentRow.fields + ExtentRow.file]!;
      const position = extents[extent * ExtentRow.fields + ExtentRow.position]!;
      if (file === OPAQUE) await this.#writeOpaque!(position, part);
      else await this.#write(file, position, part);
    }
  }

  async close(): Promise<void> {
    const descriptors = this.#descriptors.splice(0);
    for (const descriptor of descriptors) {
      if (descriptor !== undefined) await closeFile(descriptor).catch(() => {});
    }
  }

  async #write(file: number, position: number, bytes: Uint8Array): Promise<void> {
    const { path } = this.#files[file]!;
    for (let done = 0; done < bytes.length; ) {
      try {
        this.#descriptors[file] ??= await openFile(path, 'r+');
        done += await writeSome(this.#descriptors[file], bytes, done, position + done);
      } catch (error) {
        const code = systemErrorCode(error);
        if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') throw new TargetFullError(path, { cause: error });
        throw new TargetWriteError(path, position + done, { cause: error });
      }
    }
  }
}

function writeSome(descriptor: number, bytes: Uint8Array, offset: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(descriptor, bytes, offset, bytes.length - offset, position, (error, count) => (error ? reject(error) : resolve(count)));
  });
}

/** A file of the disk that is being restored cannot be written. */
export class TargetWriteError extends MabsError {
  readonly code = 'MABS-TARGET-WRITE';
  readonly hint = 'Check the target: its connection, its permissions and its event log. Then recover again.';
  constructor(path: string, position: number, options: ErrorOptions & { cause: unknown }) {
    super(`${path} cannot be written at byte ${position}: ${(options.cause as Error).message}`, options);
  }
}
