import { close, constants, open, write } from 'node:fs';
import { promisify } from 'node:util';
import type { FileDescriptor } from '../../disks/disk-source.ts';
import { MabsError, systemErrorCode } from '../../lib/errors.ts';
import { TargetFullError } from '../../lib/random-access-file.ts';
import { Chunk, type DiskWindow, ExtentRow, OPAQUE } from './disk-window.ts';

const openFile = promisify(open);
const closeFile = promisify(close);

/**
 * Writes that are aligned to this go past the page cache where the system can: copying into it costs as much as decompressing, and
 * a verification that follows reads what the storage really has.
 */
const ALIGNMENT = 4096;
/** Undefined where there is no such flag (Windows, macOS). */
const DIRECT: number | undefined = constants.O_DIRECT;

/** Writes what only the target itself can (its extents are opaque). */
export type WriteOpaque = (offset: number, bytes: Uint8Array) => Promise<void>;

/** Writes chunks of a disk straight to the files that its extents point into. One to a thread. */
export class TargetWriter {
  readonly #files: readonly FileDescriptor[];
  readonly #descriptors: (number | undefined)[] = [];
  /** Opened past the page cache; -1 where the file system refuses that. */
  readonly #direct: (number | undefined)[] = [];
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
    const descriptors = [...this.#descriptors.splice(0), ...this.#direct.splice(0)];
    for (const descriptor of descriptors) {
      if (descriptor !== undefined && descriptor >= 0) await closeFile(descriptor).catch(() => {});
    }
  }

  async #write(file: number, position: number, bytes: Uint8Array): Promise<void> {
    const { path } = this.#files[file]!;
    for (let done = 0; done < bytes.length; ) {
      try {
        done += await this.#writeSome(file, bytes.subarray(done), position + done);
      } catch (error) {
        const code = systemErrorCode(error);
        if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') throw new TargetFullError(path, { cause: error });
        throw new TargetWriteError(path, position + done, { cause: error });
      }
    }
  }

  async #writeSome(file: number, bytes: Uint8Array, position: number): Promise<number> {
    const { path } = this.#files[file]!;
    const aligned = bytes.byteOffset % ALIGNMENT === 0 && bytes.length % ALIGNMENT === 0 && position % ALIGNMENT === 0;
    if (DIRECT !== undefined && aligned && this.#direct[file] !== -1) {
      try {
        this.#direct[file] ??= await openFile(path, constants.O_RDWR | DIRECT);
        return await writeSome(this.#direct[file], bytes, position);
      } catch (error) {
        if (systemErrorCode(error) !== 'EINVAL') throw error;
        await this.#giveUpDirect(file);
      }
    }
    this.#descriptors[file] ??= await openFile(path, 'r+');
    return await writeSome(this.#descriptors[file], bytes, position);
  }

  async #giveUpDirect(file: number): Promise<void> {
    const descriptor = this.#direct[file];
    this.#direct[file] = -1;
    if (descriptor !== undefined) await closeFile(descriptor).catch(() => {});
  }
}

function writeSome(descriptor: number, bytes: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(descriptor, bytes, 0, bytes.length, position, (error, count) => (error ? reject(error) : resolve(count)));
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
