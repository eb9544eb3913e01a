import { existsSync, renameSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { createSchema, judgeSchema } from './schema.ts';

/** How long a statement waits for another process's write. */
const BUSY_MS = 15_000;
/** A catalog up to this size is checked whole whenever it is opened; a larger one shows its damage when it is read. */
const CHECK_UP_TO_BYTES = 8 * 2 ** 20;

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** The file is no intact catalog of this version. */
class DamagedCatalog extends Error {}

/**
 * Opens the database of a catalog and makes it where there is none. It is a cache: one that is damaged, of another version or no
 * catalog at all is set aside as `<name>.damaged-<n>` and made anew. Whatever else fails (rights, space) is thrown.
 */
export function openDatabase(path: string): DatabaseSync {
  for (let attempt = 0; ; attempt++) {
    try {
      return openIntact(path);
    } catch (error) {
      if (attempt >= 2 || !isDamage(error)) throw error;
      setAside(path);
    }
  }
}

/** Whether an error says that the database's file is damaged, and not merely that it could not be reached. */
export function isDamage(error: unknown): boolean {
  if (error instanceof DamagedCatalog) return true;
  const code = (Number((error as { errcode?: number } | undefined)?.errcode) || 0) & 0xff;
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

/** Moves a damaged catalog out of the way, with its journal, under the first number that is free. */
export function setAside(path: string): void {
  let number = 1;
  while (existsSync(`${path}.damaged-${number}`)) number++;
  for (const suffix of ['-wal', '-shm', '']) {
    try {
      renameSync(`${path}${suffix}`, `${path}.damaged-${number}${suffix}`);
    } catch (error) {
      // Another process was faster, or there is no journal.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

function openIntact(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: BUSY_MS, enableDoubleQuotedStringLiterals: false });
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;`);
    if (judgeSchema(database) === 'empty') createSchema(database);
    if (judgeSchema(database) === 'foreign') throw new DamagedCatalog('another version, or no catalog');
    if (statSync(path).size <= CHECK_UP_TO_BYTES) check(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function check(database: DatabaseSync): void {
  const verdict = database.prepare('PRAGMA quick_check(1)').get()?.quick_check;
  if (verdict !== 'ok') throw new DamagedCatalog(String(verdict));
}
