import { existsSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleepFor } from 'node:timers/promises';
import { type Lock, LockedError, type Locks } from './locks.ts';
import { makeFolders } from './make-folders.ts';

export interface SqliteLocksOptions {
  /** Waits so many milliseconds between two tries. */
  readonly sleep?: (ms: number) => Promise<unknown>;
}

const FIRST_WAIT_MS = 5;
const LONGEST_WAIT_MS = 100;
/** Asking whether a lock is held takes it for a moment; who meets that tries again. */
const GRACE_MS = 30;
/** SQLite's result codes for a lock that someone else holds. */
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;

/**
 * Locks as small SQLite files in `folder`, each held by an open `BEGIN EXCLUSIVE`: the kernel lets go of it when the process dies,
 * on Windows too, and no clock is asked whether the holder still lives.
 */
export function createSqliteLocks(folder: string, { sleep = sleepFor }: SqliteLocksOptions = {}): Locks {
  const held = new Set<string>();
  const pathOf = (name: string) => join(folder, fileNameOf(name));

  return {
    async acquire(name, { what, waitMs }): Promise<Lock> {
      await makeFolders(folder);
      let waited = 0;
      for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
        const database = held.has(name) ? undefined : tryExclusive(pathOf(name));
        if (database) {
          held.add(name);
          return lockOver(name, database, held);
        }
        const longest = held.has(name) ? waitMs : Math.max(waitMs, GRACE_MS);
        if (waited >= longest) throw new LockedError(what);
        const pause = Math.min(wait, longest - waited);
        await sleep(pause);
        waited += pause;
      }
    },

    async isHeld(name) {
      if (held.has(name)) return true;
      if (!existsSync(pathOf(name))) return false;
      const database = tryExclusive(pathOf(name));
      database?.close();
      return database === undefined;
    },

    async forget(name) {
      if (held.has(name)) return;
      await unlink(pathOf(name)).catch(() => {}); // Not there, or looked at right now: then it stays as an empty file.
    },
  };
}

function lockOver(name: string, database: DatabaseSync, held: Set<string>): Lock {
  let open = true;
  return {
    name,
    async [Symbol.asyncDispose]() {
      if (!open) return;
      open = false;
      held.delete(name);
      database.close();
    },
  };
}

/** The database with an exclusive transaction begun, or undefined when someone else has one. */
function tryExclusive(path: string): DatabaseSync | undefined {
  const database = new DatabaseSync(path);
  try {
    // Nothing is ever written, so no journal is wanted beside the file.
    database.exec('PRAGMA journal_mode = MEMORY');
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    const code = (error as { errcode?: number }).errcode ?? 0;
    if ([SQLITE_BUSY, SQLITE_LOCKED].includes(code & 0xff)) return undefined;
    throw error;
  }
}

/** A file name that every system takes, different for different names. */
function fileNameOf(name: string): string {
  const safe = name.replace(/[^a-z0-9_-]/g, (character) => `%${Buffer.from(character).toString('hex')}`);
  return `${safe.slice(0, 200)}.lock`;
}
