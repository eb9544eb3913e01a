import { z } from 'zod';
import { type ByteRange, normalizeRanges } from '../../lib/byte-range.ts';
import { readIfThere, replaceJson } from './durable-json.ts';

const id = z.string().min(1);
const bytes = z.number().int().nonnegative();

/** What `<disk path>.rct.json` holds: how the disk came from one id to the next, and the id that it has now. */
export const changeTrackingSchema = z.looseObject({
  current: id,
  history: z.array(z.looseObject({ from: id, to: id, ranges: z.array(z.tuple([bytes, bytes])) })),
});

export type ChangeTracking = z.infer<typeof changeTrackingSchema>;
/** The tracking of a disk as it was read at one moment, or why there is none to rely on. */
export type TrackingState = { readonly tracking: ChangeTracking } | { readonly unknown: string };

/** The file that tracks the disk at `path`. Symbolic links are not followed: tracking belongs to the path that the VM names. */
export function trackingPath(path: string): string {
  return `${path}.rct.json`;
}

/** Reads a disk's change tracking. Whatever is wrong with it is an answer in words, never an error. */
export async function readTracking(path: string): Promise<TrackingState> {
  const file = trackingPath(path);
  let content: Buffer | undefined;
  try {
    content = await readIfThere(file);
  } catch (error) {
    return { unknown: `its change tracking file cannot be read: ${(error as Error).message}` };
  }
  if (!content) return { unknown: 'the disk has no change tracking file' };
  try {
    const result = changeTrackingSchema.safeParse(JSON.parse(new TextDecoder().decode(content)));
    if (result.success) return { tracking: result.data };
    const issue = result.error.issues[0]!;
    return { unknown: `its change tracking file is invalid: ${issue.path.join('.') || 'the whole file'}: ${issue.message}` };
  } catch {
    return { unknown: 'its change tracking file is not JSON' };
  }
}

/**
 * The union of the ranges on the way from `baseId` to the current id, or why it cannot be told: a gap, a cycle, an unknown id, a
 * range outside of the disk. Time and memory are linear in the history.
 */
export function changesSince(
  state: TrackingState,
  baseId: string | undefined,
  virtualSize: number,
): { ranges: ByteRange[] } | { unknown: string } {
  if ('unknown' in state) return state;
  const { current, history } = state.tracking;
  if (baseId === undefined) return { unknown: 'the replica has no change tracking id' };
  const steps = new Map<string, ChangeTracking['history'][number]>();
  const forks = new Set<string>();
  for (const step of history) {
    if (steps.has(step.from)) forks.add(step.from);
    steps.set(step.from, step);
  }
  const ranges: ByteRange[] = [];
  const seen = new Set<string>();
  for (let at = baseId; at !== current; ) {
    if (seen.has(at)) return { unknown: `change tracking goes in a circle at ${at}` };
    seen.add(at);
    if (forks.has(at)) return { unknown: `change tracking is ambiguous: two steps lead on from ${at}` };
    const step = steps.get(at);
    if (!step)
      return {
        unknown: at === baseId ? `change tracking does not know the id ${at} of the replica` : `change tracking has a gap after ${at}`,
      };
    for (const [offset, length] of step.ranges) {
      if (length > virtualSize - offset)
        return { unknown: `change tracking names bytes ${offset} to ${offset + length}, past the end of the disk` };
      ranges.push({ offset, length });
    }
    at = step.to;
  }
  return { ranges: normalizeRanges(ranges) };
}

/** Adds one step to a disk's history, durably; answers the new id. A disk without usable tracking stays without. */
export async function appendTracking(path: string, ranges: readonly ByteRange[], newId: string): Promise<string | undefined> {
  const state = await readTracking(path);
  if ('unknown' in state) return undefined;
  const { tracking } = state;
  const step = { from: tracking.current, to: newId, ranges: normalizeRanges(ranges).map(({ offset, length }) => [offset, length]) };
  await replaceJson(trackingPath(path), { ...tracking, current: newId, history: [...tracking.history, step] });
  return newId;
}

/** Begins tracking anew: a new id, an empty history. */
export async function startTracking(path: string, newId: string): Promise<void> {
  await replaceJson(trackingPath(path), { current: newId, history: [] });
}
