import type { ByteRange } from '../../lib/byte-range.ts';
import { checkDiskRange, type DiskSource, type Extent, type FileDescriptor } from '../disk-source.ts';
import { ownExtents, type VhdImage } from './vhd-image.ts';

/** A VHD with its parents as one disk. `layers[0]` is the image itself, each next one the parent of the former. */
export class VhdDisk implements DiskSource {
  readonly sizeBytes: number;
  readonly logicalSectorSize = 512;
  readonly physicalSectorSize = 512;
  readonly files: readonly FileDescriptor[];
  protected readonly layers: readonly VhdImage[];

  /** The disk owns the images from here on. There is at least one. */
  constructor(layers: readonly VhdImage[]) {
    this.layers = layers;
    this.sizeBytes = layers[0]!.footer.virtualSize;
    this.files = layers.map(({ path }) => ({ path }));
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    for (const extent of await this.extents({ offset, length: into.length })) {
      const part = into.subarray(extent.offset - offset, extent.offset - offset + extent.length);
      if (extent.from === 'file') await this.layers[extent.file]!.file.read(extent.position, part);
      else part.fill(0);
    }
  }

  async extents(range: ByteRange): Promise<Extent[]> {
    checkDiskRange(this.files[0]!.path, range, this.sizeBytes);
    return this.#locate(range, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.layers.map((layer) => layer[Symbol.asyncDispose]()));
  }

  /** Extents that cover `range` as seen from a layer; what it has not of its own comes from the layers below. */
  async #locate(range: ByteRange, layer: number): Promise<Extent[]> {
    const found: Extent[] = [];
    for (const { offset, length, ...own } of await ownExtents(this.layers[layer]!, range)) {
      if (own.from === 'file') push(found, { offset, length, from: 'file', file: layer, position: own.position });
      else if (own.from === 'zero') push(found, { offset, length, from: 'zero' });
      else for (const extent of await this.#locateInParent({ offset, length }, layer + 1)) push(found, extent);
    }
    return found;
  }

  /** A parent may be smaller than its child, when the child was grown: past its end there are zeros. */
  async #locateInParent({ offset, length }: ByteRange, parent: number): Promise<Extent[]> {
    const size = this.layers[parent]?.footer.virtualSize ?? 0;
    const inParent = Math.min(length, Math.max(0, size - offset));
    const extents = inParent > 0 ? await this.#locate({ offset, length: inParent }, parent) : [];
    if (inParent < length) extents.push({ offset: offset + inParent, length: length - inParent, from: 'zero' });
    return extents;
  }
}

function push(extents: Extent[], extent: Extent): void {
  const last = extents.at(-1);
  if (last && continues(last, extent)) extents[extents.length - 1] = { ...last, length: last.length + extent.length };
  else extents.push(extent);
}

function continues(last: Extent, next: Extent): boolean {
  if (last.from === 'file' && next.from === 'file') return last.file === next.file && last.position + last.length === next.position;
  return last.from === 'zero' && next.from === 'zero';
}
