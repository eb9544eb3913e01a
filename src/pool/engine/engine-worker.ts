import { parentPort } from 'node:worker_threads';
import { openStore } from '../../stores/registry.ts';
import { openThreadPorts } from '../thread-ports.ts';
import { serveTasks } from './serve-tasks.ts';

// The entry of a worker thread: joins the engine with the stores, as main.ts does for the program, and decides nothing.
serveTasks(parentPort!, (descriptor) => openThreadPorts(descriptor, openStore(descriptor.store)));
