import { describe } from '@jest/globals';
import { openMemoryCatalog } from '../../../src/catalogs/memory/memory-catalog.ts';
import { keepsTheCatalogContract } from '../../contracts/catalog.ts';

describe('the catalog in memory', () => keepsTheCatalogContract(async () => openMemoryCatalog()));
