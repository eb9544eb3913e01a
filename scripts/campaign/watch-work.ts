import { type FSWatcher, watch } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Sees changes of files below some folders, as soon as the system tells of them. */
export interface WorkWatch {
  readonly count: number;
  close(): void;
}

/** Watches folders and those in them that are there now; `onChange` gets the number of changes so far. */
export async function watchWork(roots: readonly string[], onChange: (count: number) => void): Promise<WorkWatch> {
  const watchers: FSWatcher[] = [];
  let count = 0;
  for (const root of roots) {
    await mkdir(root, { recursive: true });
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    const folders = entries
      .filter((entry) => entry.isDirectory() && entry.name !== '.locks')
      .map((entry) => join(entry.parentPath, entry.name));
    for (const folder of [root, ...folders]) {
      const watcher = watch(folder, () => {
        count += 1;
        onChange(count);
      });
      watcher.on('error', () => watcher.close());
      watchers.push(watcher);
    }
  }
  return {
    get count() {
      return count;
    },
    close: () => {
      for (const watcher of watchers) watcher.close();
    },
  };
}
