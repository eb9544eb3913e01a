import { throwIfAborted } from '../lib/errors.ts';
import type { Manifest } from '../model/manifest.ts';
import type { BlockLocation } from './block.ts';
import { DIGEST_BYTES } from './block.ts';
import { readAnyCopy } from './block-copies.ts';
import type { SegmentedIndex } from './block-index.ts';
import { damageOf } from './check-pack.ts';
import { walkMap } from './engine/walk-map.ts';
import type { StorePackReader } from './pack-reader.ts';

/** Which copies of blocks are known to be lost or damaged. */
export interface BadCopies {
  /** Whether nothing is. */
  readonly none: boolean;
  has(location: BlockLocation): boolean;
}

/** A block that a manifest needs and of which no copy is intact. `at`: where the newest copy lies, if there is one. */
export interface LostBlock {
  readonly digest: string;
  readonly at: BlockLocation | undefined;
  readonly kind: string;
}

export interface ReachCheck {
  /** By the manifest's id, what it needs and has not. */
  readonly lost: Map<string, Map<string, LostBlock>>;
  /** Whether every page of every map could be read: else nobody knows all that is needed. */
  readonly complete: boolean;
}

/** Walks the maps of all manifests: every page is read, and of every block a copy must be known that is not bad. */
export async function checkReach(
  index: SegmentedIndex,
  reader: StorePackReader,
  manifests: Iterable<Manifest>,
  bad: BadCopies,
  signal: AbortSignal | undefined,
): Promise<ReachCheck> {
  const lost = new Map<string, Map<string, LostBlock>>();
  const visited = new Set<string>();
  let complete = true;
  for (const manifest of manifests) {
    const found = new Map<string, LostBlock>();
    for (const disk of manifest.disks) {
      const note = async (digest: Uint8Array, kind: string) => {
        const [at] = await index.findAll(digest);
        const hex = Buffer.from(digest).toString('hex');
        found.set(hex, { digest: hex, at, kind });
      };
      const read = async (digest: Uint8Array) => {
        try {
          return await readAnyCopy(reader, index, digest);
        } catch (error) {
          const { kind } = damageOf(error);
          complete = false;
          await note(digest, kind);
          return Buffer.alloc(DIGEST_BYTES); // A page that names nothing, so that the rest of the map is still looked at.
        }
      };
      const page = (digest: Uint8Array) => {
        throwIfAborted(signal);
        // With nothing bad, what was walked through for one manifest need not be for the next.
        const key = Buffer.from(digest).toString('latin1');
        if (visited.has(key) && bad.none && lost.size === 0) return false;
        visited.add(key);
        return true;
      };
      const block = async (digest: Uint8Array) => {
        const copies = await index.findAll(digest);
        if (copies.length === 0) await note(digest, 'block-missing');
        else if (!bad.none && copies.every((copy) => bad.has(copy))) await note(digest, 'block');
      };
      await walkMap(read, disk, { page, block });
    }
    if (found.size > 0) lost.set(manifest.id, found);
  }
  return { lost, complete };
}
