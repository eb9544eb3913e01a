import type { DiskFormats, OpenImageOptions } from '../disks/disk-format.ts';
import type { DiskSource, Extent } from '../disks/disk-source.ts';

/** A part of a virtual disk. Bytes. */
export interface MappedExtent {
  readonly offset: number;
  readonly length: number;
  readonly kind: 'zero' | 'data';
  /** Where the data lies, when it lies as it is in a file. */
  readonly file?: string;
  readonly position?: number;
}

/** Bytes of the virtual disk that are mapped at a time: memory stays in proportion to this, whatever the disk's size. */
const WINDOW = 16 * 1024 * 1024 * 1024;

/** Where the data of an image lies, ascending, covering the whole disk. */
export async function mapDisk(diskFormats: DiskFormats, path: string, options: OpenImageOptions = {}): Promise<MappedExtent[]> {
  await using disk = await diskFormats.open(path, { ...options, byHand: true });
  const map: MappedExtent[] = [];
  for (let offset = 0; offset < disk.sizeBytes; offset += WINDOW) {
    for (const extent of await disk.extents({ offset, length: Math.min(WINDOW, disk.sizeBytes - offset) })) {
      const mapped = mappedExtent(disk, extent);
      const last = map.at(-1);
      if (last && continues(last, mapped)) map[map.length - 1] = { ...last, length: last.length + mapped.length };
      else map.push(mapped);
    }
  }
  return map;
}

function mappedExtent(disk: DiskSource, extent: Extent): MappedExtent {
  const { offset, length } = extent;
  if (extent.from === 'zero') return { offset, length, kind: 'zero' };
  if (extent.from === 'opaque') return { offset, length, kind: 'data' };
  return { offset, length, kind: 'data', file: disk.files[extent.file]!.path, position: extent.position };
}

function continues(last: MappedExtent, next: MappedExtent): boolean {
  if (last.kind !== next.kind || last.file !== next.file) return false;
  return last.position === undefined || last.position + last.length === next.position;
}
