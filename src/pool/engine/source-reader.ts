import { close, open, read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import type { FileDescriptor } from '../../disks/disk-source.ts';
import { MabsError } from '../../lib/errors.ts';
import { Chunk, type DiskWindow, ExtentRow, OPAQUE } from './disk-window.ts';

const openFile = promisify(open);
const closeFile = promisify(close);

/** Above this many extents a chunk is read in place: handing each small read to another thread would cost more than it. */
const MANY_EXTENTS = 8;

/** Reads what only the source itself can (its extents are opaque). */
export type ReadOpaque = (offset: number, into: Uint8Array) => Promise<void>;

/** Reads chunks of a disk straight from the files that its extents point into. One to a thread. */
export class SourceReader {
  readonly #files: readonly FileDescriptor[];
  readonly #descriptors: (number | undefined)[] = [];
  readonly #readOpaque: ReadOpaque | undefined;

  constructor(files: readonly FileDescriptor[], readOpaque: ReadOpaque | undefined) {
    this.#files = files;
    this.#readOpaque = readOpaque;
  }

  /** Fills `into` with the chunk at `row`; bytes that no extent covers become zero. MABS-DISK-READ names the file and the place. */
  async readChunk(window: DiskWindow, row: number, into: Uint8Array): Promise<void> {
    const { chunks, extents } = window;
    const first = chunks[row + Chunk.firstExtent]!;
    const count = chunks[row + Chunk.extents]!;
    let filled = 0;
    for (let extent = first; extent < first + count; extent += 1) {
      const at = extents[extent * ExtentRow.fields + ExtentRow.at]!;
      const length = extents[extent * ExtentRow.fields + ExtentRow.length]!;
      if (at > filled) into.fill(0, filled, at);
      filled = at + length;
      const file = extents[extent * ExtentRow.fields + ExtentRow.file]!;
      const position = extents[extent * ExtentRow.fields + ExtentRow.position]!;
      if (file === OPAQUE) await this.#readOpaque!(position, into.subarray(at, filled));
      else await this.#read(file, position, into.subarray(at, filled), count > MANY_EXTENTS);
    }
    into.fill(0, filled, chunks[row + Chunk.length]!);
  }

  async close(): Promise<void> {
    const descriptors = this.#descriptors.splice(0);
    for (const descriptor of descriptors) {
      if (descriptor !== undefined) await closeFile(descriptor).catch(() => {});
    }
  }

  async #read(file: number, position: number, into: Uint8Array, inPlace: boolean): Promise<void> {
    const { path } = this.#files[file]!;
    for (let done = 0; done < into.length; ) {
      const at = position + done;
      let count: number;
      try {
        this.#descriptors[file] ??= await openFile(path, 'r');
        const descriptor = this.#descriptors[file];
        count = inPlace
          ? readSync(descriptor, into, done, into.length - done, at)
          : await readSome(descriptor, into, done, into.length - done, at);
      } catch (error) {
        throw new DiskReadError(path, at, (error as Error).message, { cause: error });
      }
      if (count === 0) throw new DiskReadError(path, at, 'the file ends there');
      done += count;
    }
  }
}

function readSome(descriptor: number, into: Uint8Array, offset: number, length: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(descriptor, into, offset, length, position, (error, count) => (error ? reject(error) : resolve(count)));
  });
}

/** A file of the disk that is being read cannot be read. */
export class DiskReadError extends MabsError {
  readonly code = 'MABS-DISK-READ';
  readonly hint = "Check the host's storage and event log; nothing of this disk was committed, the next run starts from what the pool has.";
  constructor(path: string, position: number, why: string, options?: ErrorOptions) {
    super(`${path} cannot be read at byte ${position}: ${why}`, options);
  }
}
