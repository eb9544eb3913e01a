import type { ByteRange } from '../../lib/byte-range.ts';
import { checkDiskRange, type DiskSource, type Extent, type FileDescriptor } from '../disk-source.ts';
import { ownExtents, type VhdxImage } from './vhdx-image.ts';

/** A part of the virtual disk and the image of the chain that keeps it; zeros where `layer` is absent. */
interface Piece extends ByteRange {
  readonly layer?: number;
  /** In the layer's file. */
  readonly position: number;
}

/** A VHDX with its parents as one disk. `layers[0]` is the image itself, each next one the parent of the former. */
export class VhdxDisk implements DiskSource {
  readonly sizeBytes: number;
  readonly logicalSectorSize: number;
  readonly physicalSectorSize: number;
  readonly files: readonly FileDescriptor[];
  protected readonly layers: readonly VhdxImage[];

  /** The disk owns the images from here on. There is at least one. */
  constructor(layers: readonly VhdxImage[]) {
    const { virtualSize, logicalSectorSize, physicalSectorSize } = layers[0]!.metadata;
    this.layers = layers;
    this.sizeBytes = virtualSize;
    this.logicalSectorSize = logicalSectorSize;
    this.physicalSectorSize = physicalSectorSize;
    this.files = layers.map(({ path }) => ({ path }));
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    const range = { offset, length: into.length };
    checkDiskRange(this.files[0]!.path, range, this.sizeBytes);
    for (const piece of await this.#locate(range, 0)) {
      const target = into.subarray(piece.offset - offset, piece.offset - offset + piece.length);
      if (piece.layer === undefined) target.fill(0);
      else await this.layers[piece.layer]!.source.read(piece.position, target);
    }
  }

  async extents(range: ByteRange): Promise<Extent[]> {
    checkDiskRange(this.files[0]!.path, range, this.sizeBytes);
    const extents: Extent[] = [];
    for (const extent of (await this.#locate(range, 0)).flatMap((piece) => this.#extentsOf(piece))) {
      const last = extents.at(-1);
      // Pieces are joined already, but the newer bytes of a log may go on from one piece into the next.
      if (last?.from === 'opaque' && extent.from === 'opaque')
        extents[extents.length - 1] = { ...last, length: last.length + extent.length };
      else extents.push(extent);
    }
    return extents;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.layers.map((layer) => layer[Symbol.asyncDispose]()));
  }

  /** Pieces that cover `range` as seen from a layer; what it has not of its own comes from the layers below. */
  async #locate(range: ByteRange, layer: number): Promise<Piece[]> {
    const pieces: Piece[] = [];
    for (const extent of await ownExtents(this.layers[layer]!, range)) {
      if (extent.from === 'file') pushPiece(pieces, { offset: extent.offset, length: extent.length, layer, position: extent.position });
      else if (extent.from === 'zero') pushPiece(pieces, { offset: extent.offset, length: extent.length, position: 0 });
      else for (const piece of await this.#locateInParent(extent, layer + 1)) pushPiece(pieces, piece);
    }
    return pieces;
  }

  /** A parent may be smaller than its child, when the child was grown: past its end there are zeros. */
  async #locateInParent({ offset, length }: ByteRange, parent: number): Promise<Piece[]> {
    const size = this.layers[parent]?.metadata.virtualSize ?? 0;
    const inParent = Math.min(length, Math.max(0, size - offset));
    const pieces = inParent > 0 ? await this.#locate({ offset, length: inParent }, parent) : [];
    if (inParent < length) pieces.push({ offset: offset + inParent, length: length - inParent, position: 0 });
    return pieces;
  }

  /** Where a log not yet replayed holds newer bytes than the file, only `read` knows. */
  #extentsOf({ offset, length, layer, position }: Piece): Extent[] {
    if (layer === undefined) return [{ offset, length, from: 'zero' }];
    const extents: Extent[] = [];
    const end = offset + length;
    let at = offset;
    const pushFile = (until: number): void => {
      if (until > at) extents.push({ offset: at, length: until - at, from: 'file', file: layer, position: position + at - offset });
      at = Math.max(at, until);
    };
    for (const patch of this.layers[layer]!.patches?.patchesIn({ offset: position, length }) ?? []) {
      pushFile(Math.max(offset, patch.offset - position + offset));
      const patchEnd = Math.min(end, patch.offset + patch.length - position + offset);
      extents.push({ offset: at, length: patchEnd - at, from: 'opaque' });
      at = patchEnd;
    }
    pushFile(end);
    return extents;
  }
}

function pushPiece(pieces: Piece[], piece: Piece): void {
  const last = pieces.at(-1);
  const continues = last && last.layer === piece.layer && (piece.layer === undefined || last.position + last.length === piece.position);
  if (last && continues) pieces[pieces.length - 1] = { ...last, length: last.length + piece.length };
  else pieces.push(piece);
}
