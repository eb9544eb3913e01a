import { parentPort, workerData } from 'node:worker_threads';
import type { StoreDescriptor } from '../stores/blob-store.ts';
import { openStore } from '../stores/registry.ts';
import { checkPack, type PackChecking, type PackDepth } from './check-pack.ts';
import { type Failure, toFailure } from './engine/worker-messages.ts';

/** What a worker that checks packs is started with. */
export interface CheckWorkerData extends PackChecking {
  readonly store: StoreDescriptor;
  readonly depth: PackDepth;
}

export type CheckAnswer = { readonly result: Awaited<ReturnType<typeof checkPack>> } | { readonly failure: Failure };

// The entry of a worker thread: checks the packs whose names it is sent, one after another.
const { store: descriptor, depth, ...checking } = workerData as CheckWorkerData;
const store = openStore(descriptor);
parentPort!.on('message', (name: string) => {
  checkPack(store, name, checking, depth).then(
    (result) => parentPort!.postMessage({ result } satisfies CheckAnswer),
    (error: unknown) => parentPort!.postMessage({ failure: toFailure(error) } satisfies CheckAnswer),
  );
});
