import type { EngineTask } from './engine-task.ts';

/** A task that does one thing after another, in the order asked, however early it is asked. */
export function serially<Window, Summary>(task: EngineTask<Window, Summary>): EngineTask<Window, Summary> {
  let last: Promise<unknown> = Promise.resolve();
  const after = <T>(act: () => Promise<T>): Promise<T> => {
    const result = last.then(act);
    last = result.catch(() => {});
    return result;
  };
  return {
    run: (window) => after(() => task.run(window)),
    finish: () => after(() => task.finish()),
    close: () => after(() => task.close()),
  };
}
