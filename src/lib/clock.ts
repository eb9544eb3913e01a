/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

/** Where the time comes from; tests replace it. */
export interface Clock {
  now(): Instant;
}

export const systemClock: Clock = { now: () => Date.now() };
