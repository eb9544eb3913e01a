import type { DatabaseSync } from 'node:sqlite';

/** Counted up with every change of the tables: a catalog of another version is set aside and made anew. */
export const SCHEMA_VERSION = 1;

/** "mabs" in ASCII, as SQLite's application id: tells a catalog from any other database. */
const APPLICATION_ID = 0x6d616273;

/** The tables as Kysely knows them. Objects are JSON; `digest` is the SHA-256 of the JSON beside it. */
export interface CatalogTables {
  manifests: {
    pool_id: string;
    seq: number;
    id: string;
    datasource: string;
    kind: string;
    captured_at: string;
    json: string;
    digest: string;
  };
  records: { pool_id: string; kind: string; owner: string; number: number; json: string; digest: string };
  jobs: {
    id: string;
    kind: string;
    state: string;
    started_at: string;
    finished_at: string | null;
    process_id: number;
    subjects: string;
    result: string | null;
  };
  alerts: {
    id: string;
    code: string;
    severity: string;
    subject: string;
    message: string;
    hint: string;
    raised_at: string;
    resolved_at: string | null;
    count: number;
  };
  facts: { key: string; json: string };
}

const CREATE = `
  CREATE TABLE manifests (
    pool_id TEXT NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL, datasource TEXT NOT NULL, kind TEXT NOT NULL,
    captured_at TEXT NOT NULL, json TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (pool_id, seq)
  ) STRICT;
  CREATE INDEX manifests_by_id ON manifests (id);
  CREATE INDEX manifests_by_datasource ON manifests (datasource, captured_at);
  CREATE TABLE records (
    pool_id TEXT NOT NULL, kind TEXT NOT NULL, owner TEXT NOT NULL, number INTEGER NOT NULL, json TEXT NOT NULL,
    digest TEXT NOT NULL, PRIMARY KEY (pool_id, kind, owner)
  ) STRICT;
  CREATE INDEX records_by_kind ON records (kind);
  CREATE TABLE jobs (
    id TEXT PRIMARY KEY NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, started_at TEXT NOT NULL, finished_at TEXT,
    process_id INTEGER NOT NULL, subjects TEXT NOT NULL, result TEXT
  ) STRICT;
  CREATE INDEX jobs_by_start ON jobs (started_at);
  CREATE TABLE alerts (
    id TEXT PRIMARY KEY NOT NULL, code TEXT NOT NULL, severity TEXT NOT NULL, subject TEXT NOT NULL, message TEXT NOT NULL,
    hint TEXT NOT NULL, raised_at TEXT NOT NULL, resolved_at TEXT, count INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX open_alerts ON alerts (code, subject) WHERE resolved_at IS NULL;
  CREATE TABLE facts (key TEXT PRIMARY KEY NOT NULL, json TEXT NOT NULL) STRICT;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** What a database file is: nothing yet, a catalog of this version, or something else. */
export function judgeSchema(database: DatabaseSync): 'empty' | 'current' | 'foreign' {
  const version = pragma(database, 'user_version');
  const application = pragma(database, 'application_id');
  if (version === SCHEMA_VERSION && application === APPLICATION_ID) return 'current';
  const tables = database.prepare('SELECT count(*) AS count FROM sqlite_master').get()?.count;
  return version === 0 && application === 0 && tables === 0 ? 'empty' : 'foreign';
}

/** Makes the tables, unless another process has done so meanwhile. */
export function createSchema(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    if (judgeSchema(database) === 'empty') database.exec(CREATE);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function pragma(database: DatabaseSync, name: 'user_version' | 'application_id'): unknown {
  return database.prepare(`PRAGMA ${name}`).get()?.[name];
}
