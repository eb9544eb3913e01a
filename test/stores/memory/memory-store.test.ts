import { randomUUID } from 'node:crypto';
import { describe } from '@jest/globals';
import { openMemoryStore } from '../../../src/stores/memory/memory-store.ts';
import { keepsTheBlobStoreContract } from '../../contracts/blob-store.ts';

describe('a store in memory', () => keepsTheBlobStoreContract(async () => openMemoryStore(randomUUID())));
