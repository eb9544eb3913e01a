import { hash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { MabsError } from '../../lib/errors.ts';
import type { Alert, CachedManifest, CachedRecord, Catalog, Job } from '../catalog.ts';
import { nodeSqliteDialect } from './node-sqlite-dialect.ts';
import { isDamage, openDatabase, setAside } from './open-database.ts';
import type { CatalogTables } from './schema.ts';

/** Values in one INSERT; SQLite takes 32,766 parameters. */
const ROWS_AT_ONCE = 500;

export class CatalogDamagedError extends MabsError {
  readonly code = 'MABS-CATALOG-DAMAGED';
  readonly hint = 'Run the command again: the catalog was set aside and is filled again from the pools. Nothing of the pools is lost.';
  constructor(path: string, options?: ErrorOptions) {
    super(`the catalog ${path} is damaged`, options);
  }
}

/** Opens the catalog in a file, and makes it where there is none or where what is there is damaged. */
export async function openSqliteCatalog(path: string): Promise<Catalog> {
  return new SqliteCatalog(path, openDatabase(path));
}

class SqliteCatalog implements Catalog {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #db: Kysely<CatalogTables>;

  constructor(path: string, database: DatabaseSync) {
    this.#path = path;
    this.#database = database;
    this.#db = new Kysely<CatalogTables>({ dialect: nodeSqliteDialect(database) });
  }

  knownSeqs(poolId: string): Promise<Set<number>> {
    return this.#run(async (db) => {
      const rows = await db.selectFrom('manifests').select('seq').where('pool_id', '=', poolId).execute();
      return new Set(rows.map(({ seq }) => seq));
    });
  }

  addManifests: Catalog['addManifests'] = (poolId, manifests) =>
    this.#change(async (db) => {
      const rows = manifests.map(({ seq, manifest }) => ({
        pool_id: poolId,
        seq,
        id: manifest.id,
        datasource: manifest.datasource,
        kind: manifest.kind,
        captured_at: manifest.capturedAt,
        ...sealed(manifest),
      }));
      for (const some of chunks(rows)) await db.replaceInto('manifests').values(some).execute();
    });

  removeManifests: Catalog['removeManifests'] = (poolId, seqs) =>
    this.#change(async (db) => {
      for (const some of chunks(seqs)) await db.deleteFrom('manifests').where('pool_id', '=', poolId).where('seq', 'in', some).execute();
    });

  listManifests: Catalog['listManifests'] = ({ poolId, datasource, kind } = {}) =>
    this.#run(async (db) => {
      let query = db.selectFrom('manifests').selectAll().orderBy('captured_at').orderBy('seq');
      if (poolId !== undefined) query = query.where('pool_id', '=', poolId);
      if (datasource !== undefined) query = query.where('datasource', '=', datasource);
      if (kind !== undefined) query = query.where('kind', '=', kind);
      return (await query.execute()).map(manifestOf);
    });

  findManifest: Catalog['findManifest'] = (id) =>
    this.#run(async (db) => {
      const row = await db.selectFrom('manifests').selectAll().where('id', '=', id).executeTakeFirst();
      return row && manifestOf(row);
    });

  replaceRecords: Catalog['replaceRecords'] = (poolId, kind, records) =>
    this.#change(async (db) => {
      await db.deleteFrom('records').where('pool_id', '=', poolId).where('kind', '=', kind).execute();
      for (const some of chunks(records.map(recordRow))) await db.replaceInto('records').values(some).execute();
    });

  putRecord: Catalog['putRecord'] = (record) =>
    this.#change(async (db) => {
      await db.replaceInto('records').values(recordRow(record)).execute();
    });

  listRecords: Catalog['listRecords'] = (kind, poolId) =>
    this.#run(async (db) => {
      let query = db.selectFrom('records').selectAll().where('kind', '=', kind).orderBy('pool_id').orderBy('owner');
      if (poolId !== undefined) query = query.where('pool_id', '=', poolId);
      const rows = await query.execute();
      return rows.map((row) => ({ poolId: row.pool_id, kind: row.kind, owner: row.owner, number: row.number, payload: unsealed(row) }));
    });

  forgetPool: Catalog['forgetPool'] = (poolId) =>
    this.#change(async (db) => {
      await db.deleteFrom('manifests').where('pool_id', '=', poolId).execute();
      await db.deleteFrom('records').where('pool_id', '=', poolId).execute();
    });

  startJob: Catalog['startJob'] = (job) =>
    this.#change(async (db) => {
      const row = {
        id: job.id,
        kind: job.kind,
        state: job.state,
        started_at: job.startedAt,
        finished_at: job.finishedAt ?? null,
        process_id: job.processId,
        subjects: JSON.stringify(job.subjects),
        result: job.result === undefined ? null : JSON.stringify(job.result),
      };
      await db.insertInto('jobs').values(row).execute();
    });

  finishJob: Catalog['finishJob'] = (id, state, finishedAt, result) =>
    this.#change(async (db) => {
      const change = { state, finished_at: finishedAt, result: result === undefined ? null : JSON.stringify(result) };
      await db.updateTable('jobs').set(change).where('id', '=', id).execute();
    });

  findJob: Catalog['findJob'] = (id) =>
    this.#run(async (db) => {
      const row = await db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst();
      return row && jobOf(row);
    });

  listJobs: Catalog['listJobs'] = (limit) =>
    this.#run(async (db) => {
      const query = db.selectFrom('jobs').selectAll().orderBy('started_at', 'desc').orderBy('id').limit(limit);
      return (await query.execute()).map(jobOf);
    });

  raiseAlert: Catalog['raiseAlert'] = (alert) =>
    this.#change(async (db) => {
      const { id, code, severity, subject, message, hint, raisedAt } = alert;
      await db
        .insertInto('alerts')
        .values({ id, code, severity, subject, message, hint, raised_at: raisedAt, resolved_at: null, count: 1 })
        .onConflict((conflict) =>
          conflict
            .columns(['code', 'subject'])
            .where('resolved_at', 'is', null)
            .doUpdateSet((now) => ({ count: now('alerts.count', '+', 1), severity, message, hint })),
        )
        .execute();
    });

  resolveAlerts: Catalog['resolveAlerts'] = ({ id, code, subject }, at) =>
    this.#change(async (db) => {
      let query = db.updateTable('alerts').set({ resolved_at: at }).where('resolved_at', 'is', null);
      if (id !== undefined) query = query.where('id', '=', id);
      if (code !== undefined) query = query.where('code', '=', code);
      if (subject !== undefined) query = query.where('subject', '=', subject);
      return Number((await query.executeTakeFirst()).numUpdatedRows);
    });

  listAlerts: Catalog['listAlerts'] = ({ resolved } = {}) =>
    this.#run(async (db) => {
      let query = db.selectFrom('alerts').selectAll().orderBy('raised_at').orderBy('id');
      if (!resolved) query = query.where('resolved_at', 'is', null);
      return (await query.execute()).map(alertOf);
    });

  getValue: Catalog['getValue'] = (key) =>
    this.#run(async (db) => {
      const row = await db.selectFrom('facts').select('json').where('key', '=', key).executeTakeFirst();
      return row && JSON.parse(row.json);
    });

  setValue: Catalog['setValue'] = (key, value) =>
    this.#change(async (db) => {
      if (value === undefined) await db.deleteFrom('facts').where('key', '=', key).execute();
      else
        await db
          .replaceInto('facts')
          .values({ key, json: JSON.stringify(value) })
          .execute();
    });

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
  }

  /** Not Kysely's `destroy`, which closes nothing where nothing was asked. */
  #close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #change<T>(work: (db: Kysely<CatalogTables>) => Promise<T>): Promise<T> {
    return this.#run((db) => db.transaction().execute(work));
  }

  /** Damage that shows while reading puts the catalog aside, so that the next command has a sound one. */
  async #run<T>(work: (db: Kysely<CatalogTables>) => Promise<T>): Promise<T> {
    try {
      return await work(this.#db);
    } catch (error) {
      if (!isDamage(error) && !(error instanceof RowDamaged)) throw error;
      this.#close();
      setAside(this.#path);
      throw new CatalogDamagedError(this.#path, { cause: error });
    }
  }
}

/** A row whose JSON is not what was written. */
class RowDamaged extends Error {}

function sealed(value: unknown): { readonly json: string; readonly digest: string } {
  const json = JSON.stringify(value);
  return { json, digest: hash('sha256', json, 'hex') };
}

function unsealed({ json, digest }: { readonly json: string; readonly digest: string }): unknown {
  if (hash('sha256', json, 'hex') !== digest) throw new RowDamaged();
  return JSON.parse(json);
}

/** Its digest says that it is what was judged when it was read from the pool; that is not done again here. */
function manifestOf(row: CatalogTables['manifests']): CachedManifest {
  return { poolId: row.pool_id, seq: row.seq, manifest: unsealed(row) as CachedManifest['manifest'] };
}

function recordRow({ poolId, kind, owner, number, payload }: CachedRecord): CatalogTables['records'] {
  return { pool_id: poolId, kind, owner, number, ...sealed(payload ?? null) };
}

function jobOf(row: CatalogTables['jobs']): Job {
  return {
    id: row.id,
    kind: row.kind,
    state: row.state as Job['state'],
    startedAt: row.started_at,
    ...(row.finished_at !== null && { finishedAt: row.finished_at }),
    processId: row.process_id,
    subjects: JSON.parse(row.subjects) as string[],
    ...(row.result !== null && { result: JSON.parse(row.result) as unknown }),
  };
}

function alertOf(row: CatalogTables['alerts']): Alert {
  const { id, code, subject, message, hint, count } = row;
  return {
    id,
    code,
    severity: row.severity as Alert['severity'],
    subject,
    message,
    hint,
    raisedAt: row.raised_at,
    ...(row.resolved_at !== null && { resolvedAt: row.resolved_at }),
    count,
  };
}

function chunks<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / ROWS_AT_ONCE) }, (_, index) =>
    items.slice(index * ROWS_AT_ONCE, (index + 1) * ROWS_AT_ONCE),
  );
}
