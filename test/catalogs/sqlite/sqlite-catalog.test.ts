import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openSqliteCatalog } from '../../../src/catalogs/sqlite/sqlite-catalog.ts';
import { aStored, keepsTheCatalogContract } from '../../contracts/catalog.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mabs-catalog-'));
  path = join(folder, 'catalog.db');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the catalog in SQLite', () => {
  keepsTheCatalogContract(() => openSqliteCatalog(path));

  it('is there again when it is opened again, also while it is open', async () => {
    await using first = await openSqliteCatalog(path);
    await first.addManifests('p1', [aStored(1)]);
    await using second = await openSqliteCatalog(path);
    expect(await second.knownSeqs('p1')).toEqual(new Set([1]));
    await second.addManifests('p1', [aStored(2)]);
    expect(await first.knownSeqs('p1')).toEqual(new Set([1, 2]));
  });

  it('writes durably, to a log of its own', async () => {
    await (await openSqliteCatalog(path))[Symbol.asyncDispose]();
    using database = new DatabaseSync(path);
    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
  });

  it.each([
    ['is no database', async () => writeFile(path, 'hello, I am a text')],
    ['has another program’s tables', async () => foreign('CREATE TABLE t (x)')],
    ['has another version', async () => foreign('PRAGMA user_version = 99')],
    ['was cut short', async () => cut()],
    ['has a page of zeros', async () => zeroPage()],
  ])('sets a file aside that %s, and begins anew', async (_, damage) => {
    await damage();
    await using catalog = await openSqliteCatalog(path);
    expect(await catalog.knownSeqs('p1')).toEqual(new Set());
    await catalog.addManifests('p1', [aStored(5)]);
    expect(await catalog.knownSeqs('p1')).toEqual(new Set([5]));
    expect(await readdir(folder)).toContain('catalog.db.damaged-1');
  });

  it('sets a second damaged file beside the first', async () => {
    for (const _ of [1, 2]) {
      await writeFile(path, 'no database');
      await (await openSqliteCatalog(path))[Symbol.asyncDispose]();
    }
    expect(await readdir(folder)).toEqual(expect.arrayContaining(['catalog.db.damaged-1', 'catalog.db.damaged-2']));
  });

  it('never answers a manifest whose row was changed behind its back', async () => {
    await using catalog = await openSqliteCatalog(path);
    await catalog.addManifests('p1', [aStored(1)]);
    await (async () => {
      using database = new DatabaseSync(path);
      database.exec(`UPDATE manifests SET json = replace(json, 'crash', 'Crash')`);
    })();
    await expect(catalog.findManifest('m1')).rejects.toMatchObject({ code: 'MABS-CATALOG-DAMAGED' });
    await using next = await openSqliteCatalog(path);
    expect(await next.knownSeqs('p1')).toEqual(new Set());
  });
});

function foreign(sql: string): void {
  using database = new DatabaseSync(path);
  database.exec(sql);
}

async function filled(): Promise<Buffer> {
  await using catalog = await openSqliteCatalog(path);
  await catalog.addManifests(
    'p1',
    Array.from({ length: 200 }, (_, index) => aStored(index + 1)),
  );
  await catalog[Symbol.asyncDispose]();
  return readFile(path);
}

async function cut(): Promise<void> {
  const bytes = await filled();
  await writeFile(path, bytes.subarray(0, bytes.length - 3 * 4096));
}

async function zeroPage(): Promise<void> {
  const bytes = await filled();
  await writeFile(path, bytes.fill(0, 5 * 4096, 6 * 4096));
}
