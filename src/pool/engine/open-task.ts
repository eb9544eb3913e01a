import type { DiskWindow } from './disk-window.ts';
import type { ThreadPorts } from './engine-ports.ts';
import type { EngineTask } from './engine-task.ts';
import { type ReadBackParameters, type ReadBackSummary, ReadBackTask, type ReadBackWindow } from './read-back-task.ts';
import { type RestoreParameters, type RestoreSummary, RestoreTask } from './restore-task.ts';
import { type ScanParameters, type ScanSummary, ScanTask, type ScanWindow } from './scan-task.ts';
import type { ReadOpaque } from './source-reader.ts';
import type { WriteOpaque } from './target-writer.ts';

/** What a thread can be asked to do: the parameters, windows and summaries of each kind of task. */
export interface TaskKinds {
  readonly scan: { readonly parameters: ScanParameters; readonly window: ScanWindow; readonly summary: ScanSummary };
  readonly restore: { readonly parameters: RestoreParameters; readonly window: DiskWindow; readonly summary: RestoreSummary };
  readonly readBack: { readonly parameters: ReadBackParameters; readonly window: ReadBackWindow; readonly summary: ReadBackSummary };
}

export type TaskKind = keyof TaskKinds;
export type TaskOf<K extends TaskKind> = EngineTask<TaskKinds[K]['window'], TaskKinds[K]['summary']>;

/** What only the main thread can do: read and write disks without files. */
export interface InlineAccess {
  readonly read?: ReadOpaque;
  readonly write?: WriteOpaque;
}

/** Opens a task in the calling thread, over ports that the caller closes after it. */
export function openTask<K extends TaskKind>(
  kind: K,
  parameters: TaskKinds[K]['parameters'],
  ports: ThreadPorts,
  access: InlineAccess = {},
): TaskOf<K> {
  const makers: { [Each in TaskKind]: (parameters: TaskKinds[Each]['parameters']) => TaskOf<Each> } = {
    scan: (given) => new ScanTask(given, ports, access.read),
    restore: (given) => new RestoreTask(given, ports, access.write),
    readBack: (given) => new ReadBackTask(given, ports),
  };
  return makers[kind](parameters);
}
