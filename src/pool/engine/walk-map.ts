import { toPage } from './disk-map-reader.ts';
import { MAP_FAN_OUT, mapGeometry, nodesAt } from './map-geometry.ts';
import { digestAt, isZeroDigest } from './map-page.ts';

/** The map of one disk, as a manifest names it: `root` in hex. */
export interface MapOfDisk {
  readonly root: string;
  readonly virtualSize: number;
  readonly blockSize: number;
}

export interface MapVisitor {
  /** Before a page is read. False: neither it nor what is below it is wanted (it was visited as part of another disk). */
  page(digest: Uint8Array, level: number): boolean | Promise<boolean>;
  /** A block of data that is not zero; `index` is its place on the disk. The digest is a view into the page. */
  block(digest: Uint8Array, index: number): void | Promise<void>;
}

/**
 * Visits each page of a map and each block that it names, zeros excepted, in the order of the disk. `read` answers a stored
 * block, verified. Holds one page of each level.
 */
export async function walkMap(
  read: (digest: Uint8Array) => Promise<Uint8Array>,
  { root, virtualSize, blockSize }: MapOfDisk,
  visitor: MapVisitor,
): Promise<void> {
  const { blocks, levels } = mapGeometry(virtualSize, blockSize);
  const visit = async (digest: Uint8Array, level: number, index: number): Promise<void> => {
    if (isZeroDigest(digest) || !(await visitor.page(digest, level))) return;
    const page = toPage(digest, await read(digest));
    const count = Math.min(MAP_FAN_OUT, nodesAt(blocks, level - 1) - index * MAP_FAN_OUT);
    for (let i = 0; i < count; i += 1) {
      const child = digestAt(page, i);
      if (level > 1) await visit(child, level - 1, index * MAP_FAN_OUT + i);
      else if (!isZeroDigest(child)) {
        const visited = visitor.block(child, index * MAP_FAN_OUT + i);
        if (visited) await visited;
      }
    }
  };
  await visit(Buffer.from(root, 'hex'), levels, 0);
}
