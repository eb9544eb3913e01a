/** Of work in one round of a fuzz: more is a hang in the making. */
const MAX_MS = 1000;
/** On the clock: only a true hang takes this long, whatever else the machine does. */
const MAX_WAIT_MS = 20_000;
/** What is slow is slow each time; what was only disturbed is not. */
const ATTEMPTS = 3;

export interface Timed<T> {
  readonly result: T;
  readonly tookMs: number;
  /** Says how long it took when that was too long in each of several attempts. */
  readonly tooLong?: string;
}

/**
 * Does one round of work and judges how long it took: by the processor's time or by the clock, whichever is less, since other work
 * of the machine lengthens the one and the collector's own threads the other. A round that seems too long is done again.
 */
export async function timeOfWork<T>(work: () => Promise<T>): Promise<Timed<T>> {
  let timed = await once(work);
  for (let attempt = 1; timed.tooLong && attempt < ATTEMPTS; attempt += 1) timed = await once(work);
  return timed;
}

async function once<T>(work: () => Promise<T>): Promise<Timed<T>> {
  const started = { wall: performance.now(), cpu: process.cpuUsage() };
  const result = await work();
  const waitedMs = performance.now() - started.wall;
  const { user, system } = process.cpuUsage(started.cpu);
  const tookMs = Math.min(waitedMs, (user + system) / 1000);
  const isTooLong = tookMs > MAX_MS || waitedMs > MAX_WAIT_MS;
  return {
    result,
    tookMs,
    ...(isTooLong && { tooLong: `took ${Math.round(waitedMs)} ms, at least ${Math.round(tookMs)} ms of them at work` }),
  };
}
