import { type FileHandle, open } from 'node:fs/promises';
import type { WritableDisk } from '../../src/disks/disk-format.ts';
import { checkDiskRange, type Extent } from '../../src/disks/disk-source.ts';

/** Bytes that a disk of a test allocates at a time. */
const UNIT = 4096;

export interface FileDisk extends WritableDisk {
  readonly path: string;
}

/**
 * A disk for tests: its bytes at the same place of a file, holes where nothing was ever written. With `opaque` it says of no byte
 * where it lies, as a recovery point does.
 */
export async function aFileDisk(path: string, content: Uint8Array | number, options: { opaque?: boolean } = {}): Promise<FileDisk> {
  const handle = await open(path, 'w+');
  const sizeBytes = typeof content === 'number' ? content : content.length;
  await handle.truncate(sizeBytes);
  const disk = new TestDisk(path, handle, sizeBytes, options.opaque ?? false);
  if (typeof content !== 'number') {
    for (let at = 0; at < content.length; at += UNIT) {
      const unit = content.subarray(at, at + UNIT);
      if (unit.some((byte) => byte !== 0)) await disk.write(at, unit);
    }
  }
  return disk;
}

class TestDisk implements FileDisk {
  readonly path: string;
  readonly sizeBytes: number;
  readonly logicalSectorSize = 512;
  readonly physicalSectorSize = 4096;
  readonly files;
  readonly #handle: FileHandle;
  readonly #allocated = new Set<number>();
  readonly #opaque: boolean;

  constructor(path: string, handle: FileHandle, sizeBytes: number, opaque: boolean) {
    this.path = path;
    this.#handle = handle;
    this.sizeBytes = sizeBytes;
    this.#opaque = opaque;
    this.files = opaque ? [] : [{ path }];
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    checkDiskRange(this.path, { offset, length: into.length }, this.sizeBytes);
    for (let done = 0; done < into.length; ) done += (await this.#handle.read(into, done, into.length - done, offset + done)).bytesRead;
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    checkDiskRange(this.path, { offset, length: bytes.length }, this.sizeBytes);
    await this.allocate([{ offset, length: bytes.length }]);
    await this.#handle.write(bytes, 0, bytes.length, offset);
  }

  async allocate(ranges: readonly { offset: number; length: number }[]): Promise<void> {
    for (const { offset, length } of ranges) {
      checkDiskRange(this.path, { offset, length }, this.sizeBytes);
      for (let unit = Math.floor(offset / UNIT); unit * UNIT < offset + length; unit += 1) this.#allocated.add(unit);
    }
  }

  async extents(range: { offset: number; length: number }): Promise<Extent[]> {
    checkDiskRange(this.path, range, this.sizeBytes);
    const extents: Extent[] = [];
    const end = range.offset + range.length;
    for (let at = range.offset; at < end; ) {
      const unit = Math.floor(at / UNIT);
      const from = !this.#allocated.has(unit) ? 'zero' : this.#opaque ? 'opaque' : 'file';
      const until = Math.min(end, (unit + 1) * UNIT);
      const last = extents.at(-1);
      if (last?.from === from) extents[extents.length - 1] = { ...last, length: until - last.offset };
      else if (from === 'file') extents.push({ offset: at, length: until - at, from, file: 0, position: at });
      else extents.push({ offset: at, length: until - at, from });
      at = until;
    }
    return extents;
  }

  async flush(): Promise<void> {
    await this.#handle.sync();
  }

  async writeZeros({ offset, length }: { offset: number; length: number }): Promise<void> {
    await this.write(offset, new Uint8Array(length));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}
