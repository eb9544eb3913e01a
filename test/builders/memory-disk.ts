import type { WritableDisk } from '../../src/disks/disk-format.ts';
import { checkDiskRange, type Extent } from '../../src/disks/disk-source.ts';
import type { ByteRange } from '../../src/lib/byte-range.ts';

/** A disk in memory that can be read and written; it says of no byte where it lies. */
export function aMemoryDisk(content: Uint8Array | number): WritableDisk & { readonly bytes: Uint8Array } {
  const bytes = typeof content === 'number' ? new Uint8Array(content) : Uint8Array.from(content);
  const check = (range: ByteRange) => checkDiskRange('memory disk', range, bytes.length);
  return {
    bytes,
    sizeBytes: bytes.length,
    logicalSectorSize: 512,
    physicalSectorSize: 4096,
    files: [],
    async read(offset, into) {
      check({ offset, length: into.length });
      into.set(bytes.subarray(offset, offset + into.length));
    },
    async extents(range): Promise<Extent[]> {
      check(range);
      return range.length === 0 ? [] : [{ ...range, from: 'opaque' }];
    },
    async write(offset, piece) {
      check({ offset, length: piece.length });
      bytes.set(piece, offset);
    },
    async writeZeros({ offset, length }) {
      check({ offset, length });
      bytes.fill(0, offset, offset + length);
    },
    async allocate() {},
    async flush() {},
    async [Symbol.asyncDispose]() {},
  };
}
