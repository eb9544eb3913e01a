import type { BlobStore, StoreDescriptor } from './blob-store.ts';
import { openLocalStore } from './local/local-store.ts';
import { openMemoryStore } from './memory/memory-store.ts';

/** Opens the store that a descriptor names, in whichever thread. */
export function openStore(descriptor: StoreDescriptor): BlobStore {
  switch (descriptor.type) {
    case 'local':
      return openLocalStore(descriptor.path);
    case 'memory':
      return openMemoryStore(descriptor.id);
  }
}
