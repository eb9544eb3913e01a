import type { ByteRange } from '../../lib/byte-range.ts';
import type { RandomAccessFile } from '../../lib/random-access-file.ts';
import { isZero } from '../../lib/zeros.ts';
import type { WritableDisk } from '../disk-format.ts';
import { checkDiskRange, type Extent, type FileDescriptor } from '../disk-source.ts';

const PIECE = 1024 * 1024;

/** A raw image. Zeros are never written over what reads as zero already, so holes stay holes. */
export class RawDisk implements WritableDisk {
  readonly sizeBytes: number;
  readonly logicalSectorSize = 512;
  readonly physicalSectorSize = 512;
  readonly files: readonly FileDescriptor[];
  readonly #file: RandomAccessFile;

  constructor(file: RandomAccessFile) {
    this.#file = file;
    this.sizeBytes = file.sizeBytes;
    this.files = [{ path: file.path }];
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    this.#check({ offset, length: into.length });
    await this.#file.read(offset, into);
  }

  async extents(range: ByteRange): Promise<Extent[]> {
    this.#check(range);
    if (range.length === 0) return [];
    return [{ offset: range.offset, length: range.length, from: 'file', file: 0, position: range.offset }];
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    this.#check({ offset, length: bytes.length });
    if (isZero(bytes)) await this.writeZeros({ offset, length: bytes.length });
    else await this.#file.write(offset, bytes);
  }

  async writeZeros(range: ByteRange): Promise<void> {
    this.#check(range);
    const piece = new Uint8Array(Math.min(PIECE, range.length));
    for (let at = range.offset; at < range.offset + range.length; at += PIECE) {
      const part = piece.subarray(0, Math.min(PIECE, range.offset + range.length - at));
      await this.#file.read(at, part);
      if (!isZero(part)) await this.#file.write(at, part.fill(0));
    }
  }

  async allocate(ranges: readonly ByteRange[]): Promise<void> {
    for (const range of ranges) this.#check(range);
  }

  async flush(): Promise<void> {
    await this.#file.sync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file[Symbol.asyncDispose]();
  }

  #check(range: ByteRange): void {
    checkDiskRange(this.#file.path, range, this.sizeBytes);
  }
}
