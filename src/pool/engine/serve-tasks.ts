import type { MessagePort } from 'node:worker_threads';
import type { ThreadDescriptor, ThreadPorts } from './engine-ports.ts';
import type { EngineTask } from './engine-task.ts';
import { openTask } from './open-task.ts';
import { serially } from './serially.ts';
import { toFailure, type WorkerRequest } from './worker-messages.ts';

interface ServedTask {
  readonly task: EngineTask<unknown, unknown>;
  readonly ports: ThreadPorts;
}

/** Does in this thread what the main thread asks for over `port`, one request of a task after another. */
export function serveTasks(port: MessagePort, openPorts: (descriptor: ThreadDescriptor) => Promise<ThreadPorts>): void {
  const tasks = new Map<number, ServedTask>();
  const answer = async (request: WorkerRequest): Promise<unknown> => {
    if (request.do === 'open') {
      const ports = await openPorts(request.descriptor);
      const task = serially(openTask(request.kind, request.parameters as never, ports) as EngineTask<unknown, unknown>);
      tasks.set(request.task, { task, ports });
      return undefined;
    }
    const served = tasks.get(request.task);
    if (request.do === 'close') {
      tasks.delete(request.task);
      await served?.task.close();
      return await served?.ports[Symbol.asyncDispose]();
    }
    if (!served) throw new Error(`a worker was asked for task ${request.task}, which is not open`);
    return request.do === 'run' ? await served.task.run(request.window) : await served.task.finish();
  };
  port.on('message', (request: WorkerRequest) => {
    answer(request).then(
      (result) => port.postMessage({ call: request.call, result }),
      (error: unknown) => port.postMessage({ call: request.call, failure: toFailure(error) }),
    );
  });
}
