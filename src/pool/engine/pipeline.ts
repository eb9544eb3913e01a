/** Windows that workers have at a time: who has done its part of one goes on with the next, and waits for nobody. */
const IN_FLIGHT = 2;
/** Memories of windows that a pipeline needs: those in flight and one that is being planned. */
export const PIPELINE_SLOTS = IN_FLIGHT + 1;

export interface Pipeline<Window, Summary> {
  /** Plans the next window into the memory `slot`, from 0 to PIPELINE_SLOTS - 1; undefined after the last. */
  plan(slot: number): Promise<Window | undefined>;
  run(window: Window): Promise<Summary>;
  /** Takes results, in the order in which windows were planned. */
  take(window: Window, summary: Summary): Promise<void>;
  /** Asked before a window is run: true when all that are in flight must be taken first, and then `renew` is called. */
  mustRenew?(): boolean;
  renew?(): Promise<void>;
}

/** Plans, runs and takes windows until there are none; at the first failure waits for what is in flight and throws it. */
export async function runPipeline<Window, Summary>(pipeline: Pipeline<Window, Summary>): Promise<void> {
  const flying: { readonly window: Window; readonly slot: number; readonly summary: Promise<Summary> }[] = [];
  const free = Array.from({ length: PIPELINE_SLOTS }, (_, slot) => slot);
  const takeOldest = async () => {
    const { window, slot, summary } = flying[0]!;
    const result = await summary;
    flying.shift();
    await pipeline.take(window, result);
    free.push(slot);
  };
  try {
    for (;;) {
      const slot = free.pop()!;
      const window = await pipeline.plan(slot);
      if (window === undefined) break;
      if (flying.length >= IN_FLIGHT) await takeOldest();
      if (pipeline.mustRenew?.()) {
        while (flying.length > 0) await takeOldest();
        await pipeline.renew?.();
      }
      const summary = pipeline.run(window);
      // A failure is told to whoever awaits the result; until then the next window may be being planned.
      summary.catch(() => {});
      flying.push({ window, slot, summary });
    }
    while (flying.length > 0) await takeOldest();
  } finally {
    await Promise.allSettled(flying.map(({ summary }) => summary));
  }
}
