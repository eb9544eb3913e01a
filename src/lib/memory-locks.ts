import { setTimeout as sleep } from 'node:timers/promises';
import { type Lock, LockedError, type Locks } from './locks.ts';

/** Locks within this process: for tests, and for pools that live in memory. */
export function createMemoryLocks(): Locks {
  const held = new Map<string, Promise<void>>();
  return {
    async acquire(name, { what, waitMs }): Promise<Lock> {
      const cancelled = new AbortController();
      const late =
        waitMs > 0 ? sleep(waitMs, 'late' as const, { signal: cancelled.signal, ref: false }).catch(() => 'late' as const) : 'late';
      try {
        for (let holder = held.get(name); holder; holder = held.get(name)) {
          if ((await Promise.race([late, holder])) === 'late') throw new LockedError(what);
        }
      } finally {
        cancelled.abort();
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      held.set(name, promise);
      return {
        name,
        async [Symbol.asyncDispose]() {
          if (held.get(name) === promise) held.delete(name);
          resolve();
        },
      };
    },
    async isHeld(name) {
      return held.has(name);
    },
    async forget() {},
  };
}
