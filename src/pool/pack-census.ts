import { ENTRY_BYTES } from './index-format.ts';
import type { IndexSegment } from './index-segment.ts';
import type { Mark } from './mark.ts';
import type { SweepPlan } from './pool.ts';

/** What one pack holds, as the index says. */
export interface PackCount {
  readonly packKey: Uint8Array;
  blocks: number;
  bytes: number;
  deadBytes: number;
  /** Of blocks that may go. */
  readonly deadOrdinals: number[];
}

/** Whether an entry that no manifest reaches may go now. */
export type MayGo = (packKey: Uint8Array, ordinal: number) => boolean;

/**
 * Counts by pack what is reached and what may go. An entry that stands in two segments (a merge died half way) counts once: it may
 * go when neither is reached.
 */
export async function countPacks(mark: Mark, mayGo: MayGo = () => true): Promise<Map<string, PackCount>> {
  const packs = new Map<string, PackCount>();
  const reached = new Map<string, Set<number>>();
  const seen = new Map<string, Set<number>>();
  const several = sharedPacks(mark.index.segments);
  for (const segment of mark.index.segments) {
    for await (const { position, content } of segment.scan()) {
      for (let at = 0; at < content.length; at += ENTRY_BYTES) {
        const { packNumber, ordinal, storedLength } = segment.entryAt(content, at);
        const name = segment.packName(packNumber);
        const isReached = mark.has(segment, position + at / ENTRY_BYTES);
        if (several.has(name)) {
          if (isReached) setOf(reached, name).add(ordinal);
          if (setOf(seen, name).has(ordinal)) continue;
          setOf(seen, name).add(ordinal);
        }
        const count = packs.get(name) ?? {
          packKey: Uint8Array.from(segment.packKey(packNumber)),
          blocks: 0,
          bytes: 0,
          deadBytes: 0,
          deadOrdinals: [],
        };
        packs.set(name, count);
        count.blocks += 1;
        count.bytes += storedLength;
        if (!isReached && mayGo(count.packKey, ordinal)) {
          count.deadBytes += storedLength;
          count.deadOrdinals.push(ordinal);
        }
      }
    }
  }
  keepReached(packs, reached);
  return packs;
}

/** Packs that more than one segment numbers. */
function sharedPacks(segments: readonly IndexSegment[]): Set<string> {
  const once = new Set<string>();
  const several = new Set<string>();
  for (const segment of segments) {
    for (const name of segment.packNames()) {
      if (once.has(name)) several.add(name);
      once.add(name);
    }
  }
  return several;
}

/** Takes back what one segment called dead and another reached. The bytes of such a block are left counted as dead: a rare over-estimate. */
function keepReached(packs: Map<string, PackCount>, reached: ReadonlyMap<string, ReadonlySet<number>>): void {
  for (const [name, ordinals] of reached) {
    const count = packs.get(name);
    if (!count) continue;
    const dead = count.deadOrdinals.filter((ordinal) => !ordinals.has(ordinal));
    count.deadOrdinals.splice(0, count.deadOrdinals.length, ...dead);
  }
}

function setOf(sets: Map<string, Set<number>>, name: string): Set<number> {
  const known = sets.get(name) ?? new Set<number>();
  sets.set(name, known);
  return known;
}

/** What sweeping would free: packs that are wholly dead go, those less than half live are rewritten. */
export function planOf(packs: ReadonlyMap<string, PackCount>): SweepPlan {
  let deadBlocks = 0;
  let deadBytes = 0;
  let bytesFreed = 0;
  const packsToRemove: string[] = [];
  const packsToRewrite: string[] = [];
  for (const [name, count] of packs) {
    deadBlocks += count.deadOrdinals.length;
    deadBytes += count.deadBytes;
    if (count.deadOrdinals.length === count.blocks) packsToRemove.push(name);
    else if (count.deadBytes * 2 > count.bytes) packsToRewrite.push(name);
    else continue;
    bytesFreed += count.deadBytes;
  }
  return { deadBlocks, deadBytes, packsToRemove: packsToRemove.sort(), packsToRewrite: packsToRewrite.sort(), bytesFreed };
}
