import type { EngineOptions, SweepPlan } from './pool.ts';
import type { WriterParts } from './pool-writer.ts';

const NOTHING: SweepPlan = { deadBlocks: 0, deadBytes: 0, packsToRemove: [], packsToRewrite: [], bytesFreed: 0 };

export async function planSweep(
  _parts: WriterParts,
  _options: EngineOptions & { readonly without?: readonly number[] },
): Promise<SweepPlan> {
  return NOTHING;
}

export async function sweep(_parts: WriterParts, _waitMs: number, _options: EngineOptions): Promise<SweepPlan> {
  return NOTHING;
}
