import type { Catalog } from './catalog.ts';
import { openSqliteCatalog } from './sqlite/sqlite-catalog.ts';

/** Opens the catalog of a home in this file. */
export function openCatalog(path: string): Promise<Catalog> {
  return openSqliteCatalog(path);
}
